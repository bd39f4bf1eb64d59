package config

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONSaysOnlyWhatIsSet keeps ConfigMaps that are made of it short and the same every time.
func TestJSONSaysOnlyWhatIsSet(t *testing.T) {
	for want, cfg := range map[string]Config{
		`{}`: {},
		`{"source":"https://o.example/m.m3u8","trackers":["ws://t:8001/announce"],"iceListen":":3479","tokenFile":"/token/token",` +
			`"adminListen":":9091","icePortsFile":"/c/ice-ports.json","headersDir":"/headers","caFile":"/ca/ca.crt"}`: {
			Source: "https://o.example/m.m3u8", Trackers: []string{"ws://t:8001/announce"}, ICEListen: ":3479",
			TokenFile: "/token/token", AdminListen: ":9091", ICEPortsFile: "/c/ice-ports.json",
			HeadersDir: "/headers", CAFile: "/ca/ca.crt", Token: "never written",
		},
	} {
		got, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestValidateNamesTheField(t *testing.T) {
	good := Config{Source: "https://o.example/m.m3u8", Trackers: []string{"ws://t:8001/announce"},
		HeadersDir: "/nowhere", CAFile: "/nowhere", ICEPortsFile: "/nowhere", TokenFile: "/nowhere"}
	if err := good.Validate(); err != nil {
		t.Errorf("a good configuration whose files are elsewhere: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"config.ordinal:":      func(c *Config) { c.Ordinal = -1 },
		"config.advertise[1]:": func(c *Config) { c.Advertise = []string{"192.0.2.1", "node-1"} },
		"config.superSeeding:": func(c *Config) { c.SuperSeeding = "Sometimes" },
		"config.iceListen:":    func(c *Config) { c.ICEListen = "3479" },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s named", err, want)
		}
	}
}
