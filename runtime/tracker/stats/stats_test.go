package stats

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDecode(t *testing.T) {
	for name, tt := range map[string]struct {
		body string
		want string // in the error; empty: none
	}{
		"a tracker's":        {`{"v":1,"boot":"b","viewersKnown":true,"viewers":3,"peerable":null,"later":1}`, ""},
		"another version":    {`{"v":2,"boot":"b"}`, "version 1"},
		"something else":     {`{"status":"ok"}`, "version 1"},
		"not JSON":           {`ok`, "decoding stats"},
		"cut short":          {`{"v":1,"boot":"b"`, "decoding stats"},
		"too long an answer": {strings.Repeat(" ", MaxBytes) + `{"v":1,"boot":"b"}`, "too large"},
	} {
		s, err := Decode(strings.NewReader(tt.body))
		if tt.want == "" {
			if err != nil || !s.ViewersKnown || s.Viewers != 3 || s.Peerable != nil {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnknownIsSaid checks that unknown values differ from zero and false.
func TestUnknownIsSaid(t *testing.T) {
	b, err := json.Marshal(Stats{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"viewersKnown":false`, `"peerable":null`, `"live":null`, `"windowRatio":null`, `"totalRatio":null`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s does not say %s", b, want)
		}
	}
}

func TestInfoHashes(t *testing.T) {
	r := Rendition{Swarms: []Swarm{{Generation: "v2.2", InfoHash: "A"}, {Generation: "v2.3", InfoHash: "B"}}}
	if h := r.InfoHashes(); len(h) != 2 || h["v2.2"] != "A" || h["v2.3"] != "B" {
		t.Errorf("got %v", h)
	}
}
