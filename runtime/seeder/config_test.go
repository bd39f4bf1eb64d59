package seeder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func TestValidateNamesTheField(t *testing.T) {
	good := Config{Source: "https://origin.example/master.m3u8", Trackers: []string{"wss://tracker.example/announce"}}
	if err := good.Validate(); err != nil {
		t.Fatalf("a good config: %v", err)
	}
	for want, change := range map[string]func(*Config){
		"config.source":          func(c *Config) { c.Source = "file:///etc/passwd" },
		"config.trackers":        func(c *Config) { c.Trackers = []string{"http://tracker.example"} },
		"config.site":            func(c *Config) { c.Site = " Bern" },
		"config.peerIDPrefix":    func(c *Config) { c.PeerIDPrefix = "-PS0001-12345" },
		"config.foreignTrackers": func(c *Config) { c.ForeignTrackers = []string{"tracker.example"} },
		"config.stun":            func(c *Config) { c.STUN = []string{"turn:x"} },
		"config.iceListen":       func(c *Config) { c.ICEListen = "7000" },
		"config.advertise":       func(c *Config) { c.Advertise = []string{"host.example"} },
		"config.adminListen":     func(c *Config) { c.AdminListen = "9091" },
		"config.maxPeers":        func(c *Config) { c.MaxPeers = -1 },
		"config.uplinkBps":       func(c *Config) { c.UplinkBps = -1 },
		"config.cacheBytes":      func(c *Config) { c.CacheBytes = -1 },
		"config.reportInterval":  func(c *Config) { c.ReportInterval = -1 },
		"config.drain":           func(c *Config) { c.Drain = -1 },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s named", err, want)
		}
	}
	for _, c := range []Config{{Trackers: good.Trackers}, {Source: good.Source}} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "--") {
			t.Errorf("%v, want the flag to give", err)
		}
	}
}

func TestTokenComesFromItsFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	cfg := Config{Source: "http://127.0.0.1:1/m.m3u8", Trackers: []string{"ws://127.0.0.1:1"}, TokenFile: file, ICEListen: "127.0.0.1:0"}
	if _, err := New(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), "config.tokenFile") {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(file, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token := s.currentToken(); token != "secret" {
		t.Errorf("token = %q", token)
	}
	if err := os.WriteFile(file, []byte("another\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.token.Check()
	if token := s.currentToken(); token != "another" {
		t.Errorf("token = %q after the change", token)
	}
	if err := s.node.Close(); err != nil {
		t.Error(err)
	}
}

func TestSessionNamesTheSocketAndNothingElse(t *testing.T) {
	got := withSession([]string{"ws://t.example/announce", "wss://u.example/x?key=1"}, "abc", "")
	if got[0] != "ws://t.example/announce?session=abc" || got[1] != "wss://u.example/x?key=1&session=abc" {
		t.Errorf("URLs = %v", got)
	}
	if got = withSession([]string{"ws://t.example/announce"}, "abc", "Büro 2"); got[0] != "ws://t.example/announce?session=abc&site=B%C3%BCro+2" {
		t.Errorf("URLs = %v", got)
	}
}

func TestSessionTellsWhichSeederItIs(t *testing.T) {
	one, other := sessionID(3), sessionID(3)
	if one == other || !strings.HasPrefix(one, "seeder-3-") || len(sessionID(config.MaxOrdinal)) > telemetry.MaxSessionLength {
		t.Errorf("sessions %q and %q", one, other)
	}
}

func TestSelector(t *testing.T) {
	if selector(nil) != nil {
		t.Error("no names must select everything")
	}
	all := []manifest.Rendition{{Name: "240p"}, {Name: "480p"}, {Name: "audio"}}
	got := selector([]string{"480p", "audio", "8k"})(all)
	if len(got) != 2 || got[0].Name != "480p" || got[1].Name != "audio" {
		t.Errorf("selected %v", got)
	}
}
