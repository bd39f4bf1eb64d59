package dash

import (
	"math"
	"slices"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Generation V3 reads an MPD with a parser of its own. Its renditions are the representations, by their ids: one id in several
// periods is one rendition, and each of a set with two BaseURLs stands there twice.
// Source: p2p-media-loader-core 5.0 (protocol v3) on mpd-parser 1.4.0.

// writtenEntries are the representations of all periods as V3 has them.
func writtenEntries(periods []*period) []identity.WrittenEntry {
	var videos, audios []identity.WrittenEntry
	languages := map[string]string{} // of the first set with a label
	for _, p := range periods {
		for _, a := range p.sets {
			for _, r := range a.tracks {
				if r.isTrick() || r.isTwin() {
					continue
				}
				for range max(1, len(r.base)) {
					switch a.kind {
					case kindVideo:
						videos = append(videos, identity.WrittenEntry{Type: identity.Main, Key: r.original, Properties: r.writtenVideo()})
					case kindAudio:
						label := r.writtenLabel()
						if _, known := languages[label]; !known {
							languages[label] = r.writtenLanguage()
						}
						audios = append(audios, identity.WrittenEntry{Type: identity.Secondary, Key: r.original, Properties: r.writtenAudio(languages[label])})
					}
				}
			}
		}
	}
	return append(videos, audios...)
}

func (r *representation) writtenVideo() identity.Properties {
	p := identity.Properties{Codecs: identity.WrittenVideoCodecs(r.codecs), Width: sizeOf(r.width), Height: sizeOf(r.height)}
	if r.bandwidth != 0 {
		p.Bitrate = identity.Number(r.bandwidth)
	}
	if rate := r.writtenRate(); rate != 0 {
		p.FrameRate = identity.Number(rate)
	}
	return p
}

func (r *representation) writtenAudio(language string) identity.Properties {
	p := identity.Properties{Codecs: r.codecs, Language: language, Name: r.original}
	if n := r.writtenChannels(); n > 0 {
		p.Channels = identity.Number(n)
	}
	return p
}

func sizeOf(n float64) identity.Value {
	if n == 0 {
		return identity.Value{}
	}
	return identity.Number(n)
}

// nearest is an attribute of the representation or else of its set.
func (r *representation) nearest(name string) string {
	if text := r.node.attr(name); text != "" {
		return text
	}
	return r.set.node.attr(name)
}

// writtenRate carries a division out, by zero too; 0 if there is nothing to read.
func (r *representation) writtenRate() float64 {
	above, below, division := strings.Cut(r.nearest("frameRate"), "/")
	rate, ok := identity.ParseNumber(above)
	if division && ok {
		var by float64
		by, ok = identity.ParseNumber(below)
		rate /= by
	}
	if !ok || math.IsNaN(rate) {
		return 0
	}
	return rate
}

func (r *representation) writtenChannels() float64 {
	for _, n := range []*node{r.node, r.set.node} {
		for _, c := range n.all("AudioChannelConfiguration") {
			if !strings.Contains(c.attr("schemeIdUri"), "23003:3:audio_channel_configuration") {
				continue
			}
			if v, ok := whole(c.attr("value")); ok && v > 0 {
				return v
			}
		}
	}
	return 0
}

func (r *representation) writtenLanguage() string { return r.nearest("lang") }

// writtenLabel is what the parser groups audio by.
func (r *representation) writtenLabel() string {
	language, role := r.writtenLanguage(), ""
	if roles := r.set.node.all("Role"); len(roles) > 0 {
		role = roles[0].attr("value")
	}
	switch {
	case r.set.label != "":
		return r.set.label
	case language != "" && role != "":
		return language + " (" + role + ")"
	case language != "":
		return language
	}
	return "main"
}

// isTwin tells whether it is the copy with supplemental codecs, of which V3 does not know.
func (r *representation) isTwin() bool { return r.id != r.original }

const trickScheme = "http://dashif.org/guidelines/trickmode"

// isTrick tells whether it is for trick modes, which a property of its own or of its set says.
func (r *representation) isTrick() bool {
	for _, n := range []*node{r.node, r.set.node} {
		for _, name := range []string{"EssentialProperty", "SupplementalProperty"} {
			if slices.ContainsFunc(n.all(name), func(p *node) bool { return p.attr("schemeIdUri") == trickScheme }) {
				return true
			}
		}
	}
	return false
}

// writtenRenditions are the names that V3 gives to representations, by their ids.
type writtenRenditions map[string]identity.WrittenName

// writtenNames are those that are safe: V3 merges representations of one period that have one id, and knows segments with two
// URLs by one of them.
func writtenNames(periods []*period) writtenRenditions {
	out := writtenRenditions{}
	for _, s := range identity.WrittenStreams(writtenEntries(periods)) {
		out[s.Key] = s.Name()
	}
	for _, p := range periods {
		seen := map[string]bool{}
		for _, a := range p.sets {
			for _, r := range a.tracks {
				if r.isTwin() {
					continue
				}
				if seen[r.original] || len(r.base) > 1 {
					delete(out, r.original)
				}
				seen[r.original] = true
			}
		}
	}
	return out
}

// of is the name of a track: it has one if it is the same representation in all periods.
func (w writtenRenditions) of(t *track) identity.WrittenName {
	if t.original == "" || t.isTrick() {
		return identity.WrittenName{}
	}
	for _, match := range t.matches {
		if match.original != t.original || match.isTwin() {
			return identity.WrittenName{}
		}
	}
	return w[t.original]
}
