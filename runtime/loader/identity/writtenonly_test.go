package identity

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWrittenOnly: what hls.js does not list has a swarm in V3 and in no other generation.
func TestWrittenOnly(t *testing.T) {
	variant := func(uri, codecs, group string) Variant {
		return Variant{URI: uri, Attributes: Attributes{"BANDWIDTH": "1", "CODECS": codecs, "VIDEO": group}}
	}
	camera := func(uri, group, name string) MediaTrack {
		return MediaTrack{URI: uri, Attributes: Attributes{"TYPE": "VIDEO", "GROUP-ID": group, "NAME": name}}
	}
	m := Multivariant{
		Variants: []Variant{variant("a", "avc1.64001e", "g"), variant("b", "zzzz.1,avc1.64002a", "g")},
		Video:    []MediaTrack{camera("", "g", "main"), camera("a", "g", "same"), camera("left", "g", "left"), camera("right", "unused", "right")},
	}
	keys := map[string][]string{}
	listed := HLSStreams(m)
	for _, s := range append(listed, WrittenOnly(m, listed)...) {
		for _, g := range Generations() {
			if s.Key(g) != "" {
				keys[s.URI] = append(keys[s.URI], string(g))
			}
		}
		if s.Position < 0 && s.SharedBy(DefaultGenerations()) {
			t.Errorf("%s is shared without V3", s.URI)
		}
	}
	want := map[string][]string{"a": {"v2.2", "v2.3", "v3"}, "b": {"v3"}, "left": {"v3"}}
	if d := cmp.Diff(want, keys); d != "" {
		t.Error(d)
	}
}
