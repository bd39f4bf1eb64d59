package doors

import (
	"strings"
	"testing"
)

func TestSeedersHoldATokenOrOneOfTheHashes(t *testing.T) {
	s := Seeders{Tokens: []string{"current", "before"}, Hashes: []Hash{HashOf("of the stream")}}
	for token, want := range map[string]bool{"current": true, "before": true, "of the stream": true, "": false, "other": false,
		HashOf("of the stream").String(): false} {
		if s.Has(token) != want {
			t.Errorf("%q: %v", token, !want)
		}
	}
	if s.None() || !(Seeders{}).None() || (Seeders{}).Has("") || (Seeders{Tokens: []string{""}}).Has("") {
		t.Error("nobody is a seeder without a token")
	}
}

func TestHashesAreRead(t *testing.T) {
	h := HashOf("token")
	if got, err := ParseHash(h.String()); err != nil || got != h {
		t.Errorf("%v: %v", got, err)
	}
	for _, text := range []string{"", "sha256:", h.String() + "00", strings.TrimPrefix(h.String(), "sha256:"), h.String()[:70] + "g"} {
		if _, err := ParseHash(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}
