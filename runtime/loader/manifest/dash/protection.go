package dash

import (
	"slices"
	"strings"
)

// guard is the protection of an adaptation set. Its systems change while representations are read.
type guard struct {
	systems []string
	key     string // default key id
	first   bool
}

// keySystems are the key systems behind schemes of content protection.
// Source: shaka-player 4.16.9, manifest.dash.keySystemsByURI.
var keySystems = []struct{ scheme, system string }{
	{"urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b", clearKey},
	{"urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e", clearKey},
	{"urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed", "com.widevine.alpha"},
	{"urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95", "com.microsoft.playready"},
	{"urn:uuid:79f0049a-4098-8642-ab92-e65be0885f95", "com.microsoft.playready"},
	{"urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2", "com.apple.fps"},
	{"urn:uuid:3d5e6d35-9b9a-41e8-b843-dd3c6e72c42c", "com.huawei.wiseplay"},
}

const clearKey = "org.w3.clearkey"

// protection reads ContentProtection elements. An unknown key system is an empty name.
// Source: shaka-player 4.16.9, ContentProtection.parseFromAdaptationSet.
func (m *mpd) protection(elements []*node) (*guard, error) {
	g := &guard{first: true}
	keyName := m.doc.within("urn:mpeg:cenc:2013", "default_KID")
	parsed, known, aes := 0, 0, 0
	for _, e := range elements {
		scheme := strings.ToLower(e.attr("schemeIdUri"))
		if scheme == "" {
			continue
		}
		parsed++
		if key := strings.ToLower(strings.ReplaceAll(e.attr(keyName), "-", "")); key != "" {
			if strings.Contains(key, " ") || (g.key != "" && g.key != key) {
				return nil, fail(ReasonInvalid, "an adaptation set has several default keys")
			}
			g.key = key
		}
		switch scheme {
		case "urn:mpeg:dash:mp4protection:2011":
		case "urn:mpeg:dash:sea:2012":
			if aes++; aes > 1 {
				return nil, fail(ReasonInvalid, "an adaptation set is encrypted with AES-128 twice")
			}
		default:
			known++
			for _, k := range keySystems {
				if k.scheme == scheme && !slices.Contains(g.systems, k.system) {
					g.systems = append(g.systems, k.system)
				}
			}
		}
	}
	switch {
	case known > 0 && len(g.systems) == 0:
		g.systems = []string{""}
	case parsed > 0 && aes == 0 && known == 0:
		for _, k := range keySystems {
			if k.system != clearKey && !slices.Contains(g.systems, k.system) {
				g.systems = append(g.systems, k.system)
			}
		}
	}
	return g, nil
}

// add takes in the protection of a representation and returns its key.
// Source: shaka-player 4.16.9, ContentProtection.parseFromRepresentation.
func (g *guard) add(own *guard) (key string, err error) {
	switch {
	case g.first:
		unknown := len(g.systems) == 1 && g.systems[0] == ""
		if len(g.systems) == 0 || (unknown && len(own.systems) > 0) {
			g.systems = own.systems
		}
		g.first = false
	case len(own.systems) > 0:
		g.systems = common(g.systems, own.systems)
		if len(g.systems) == 0 {
			return "", fail(ReasonInvalid, "the representations of an adaptation set have no key system in common")
		}
	}
	if own.key != "" {
		return own.key, nil
	}
	return g.key, nil
}

// common are the systems of both. One without any goes with all.
func common(a, b []string) []string {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	var out []string
	for _, system := range a {
		if slices.Contains(b, system) {
			out = append(out, system)
		}
	}
	return out
}

// compatible tells whether a player can use both at once.
func compatible(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || len(common(a, b)) > 0
}
