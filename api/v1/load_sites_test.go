package v1

import (
	"strings"
	"testing"
)

func TestLoadSites(t *testing.T) {
	const list = "list:\n- {name: berlin, cidrs: [10.1.0.0/16], peering: \"Off\"}\n"
	for name, text := range map[string]string{
		"the value": list, "the field": "sites:\n  " + strings.ReplaceAll(list, "\n", "\n  "), "JSON": `{"list":[{"name":"berlin","cidrs":["10.1.0.0/16"],"peering":"Off"}]}`,
	} {
		s, err := LoadSites(strings.NewReader(text))
		if err != nil || len(s.List) != 1 || s.List[0].Name != "berlin" || s.List[0].Peering != PeeringOff {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
	for want, text := range map[string]string{
		`sites.list[0].peering: YAML reads Off without quotes as false`:  "list: [{name: a, cidrs: [10.0.0.0/8], peering: Off}]",
		`sites.fallback.peering: YAML reads Off without quotes as false`: "sites: {fallback: {peering: off}}",
		`unknown field "lst"`:               "lst: []",
		`sites: stands beside`:              "sites: {}\n" + list,
		`sites.list.cidrs must hold ranges`: "list: [{name: a, cidrs: [10.0.0.0/99]}]",
		`larger than`:                       strings.Repeat(" ", MaxManifestSize+1),
		`decoding`:                          "a: b: c",
	} {
		if _, err := LoadSites(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	const stream = "apiVersion: p2pstream.dev/v1\nkind: P2PStream\nmetadata: {name: a}\nspec: {source: {url: \"http://o/m.m3u8\"}, sites: {fallback: {peering: Off}}}\n"
	if _, err := Load(strings.NewReader(stream)); err == nil || !strings.Contains(err.Error(), "spec.sites.fallback.peering: YAML reads Off") {
		t.Error(err)
	}
}
