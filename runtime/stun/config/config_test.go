package config

import (
	"encoding/json"
	"testing"
)

// TestJSONSaysOnlyWhatIsSet keeps ConfigMaps that are made of it short and the same every time.
func TestJSONSaysOnlyWhatIsSet(t *testing.T) {
	for want, cfg := range map[string]Config{
		`{}`: {},
		`{"listen":":3478","adminListen":":9090"}`: {Listen: ":3478", AdminListen: ":9090"},
		`{"ratePerSource":-1}`:                     {RatePerSource: -1},
	} {
		got, err := json.Marshal(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", want, err)
		}
	}
}
