package dash

import (
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// track is one rendition through all periods: what the player makes of one stream of each period.
type track struct {
	*representation // the one that it was made for
	matches         []*representation
	systems         []string
	bandwidth       float64
}

// key is what two representations of a period have in common that are one for the player.
// Source: shaka-player 4.16.9, PeriodCombiner.generateVideoKey_ and generateAudioKey_.
func (r *representation) combineKey() string {
	if r.keyText != "" {
		return r.keyText
	}
	a := r.set
	number := identity.FormatNumber
	fields := []string{bit(a.fast), number(r.bandwidth), a.label, r.codecs, r.mimeType, strings.Join(a.roles, "\x01"), r.key}
	if a.kind == kindVideo {
		fields = append(fields, number(r.width), number(r.frameRate), a.captions)
	} else {
		fields = append(fields, number(r.channels), number(r.sampling), a.language, bit(a.main))
	}
	sum := sha256.Sum256([]byte(strings.Join(fields, "\x00")))
	r.keyText = string(sum[:])
	return r.keyText
}

func bit(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// streams are the representations of one kind in a period that the player keeps. Of several with one key it keeps the
// last one, in the place of the first one.
func (p *period) streams(kind string) []*representation {
	var out []*representation
	places := map[string]int{}
	for _, a := range p.sets {
		if a.trick || a.kind != kind {
			continue
		}
		for _, r := range a.tracks {
			if r.dependent {
				continue
			}
			if at, again := places[r.combineKey()]; again {
				out[at] = r
				continue
			}
			places[r.combineKey()] = len(out)
			out = append(out, r)
		}
	}
	return out
}

// combine makes tracks of the representations of one kind in all periods.
// Source: shaka-player 4.16.9, PeriodCombiner.combine_.
func combine(periods []*period, kind string) ([]*track, error) {
	lists := make([][]*representation, len(periods))
	unused := make([]map[*representation]bool, len(periods))
	byKey := make([]map[string]*representation, len(periods))
	for i, p := range periods {
		lists[i], unused[i], byKey[i] = p.streams(kind), map[*representation]bool{}, map[string]*representation{}
		for _, r := range lists[i] {
			unused[i][r] = true
			byKey[i][r.combineKey()] = r
		}
	}
	var out []*track
	for i, list := range lists {
		for _, r := range list {
			if !unused[i][r] {
				continue
			}
			t, err := newTrack(r, lists, byKey)
			if err != nil {
				return nil, err
			}
			if t == nil {
				continue
			}
			if out = append(out, t); len(out) > maxTracks {
				return nil, fail(ReasonTooLarge, "more than %d tracks", maxTracks)
			}
			for j, match := range t.matches {
				if kind != kindAudio || related(r.set.language, match.set.language) > 0 {
					delete(unused[j], match)
				}
			}
		}
	}
	for i, list := range lists {
		for _, r := range list {
			if unused[i][r] && slices.ContainsFunc(out, func(t *track) bool { return compatible(t.systems, r.systems) }) {
				return nil, fail(ReasonInvalid, "the tracks of the periods cannot be matched with each other")
			}
		}
	}
	return out, nil
}

// newTrack finds what goes with r in each period. It is nil if a period has nothing.
func newTrack(r *representation, lists [][]*representation, byKey []map[string]*representation) (*track, error) {
	t := &track{representation: r, systems: r.systems, bandwidth: r.bandwidth}
	for i, list := range lists {
		best := byKey[i][r.combineKey()]
		if best == nil {
			for _, candidate := range list {
				if compatible(r.systems, candidate.systems) && r.set.fast == candidate.set.fast && (best == nil || better(r, best, candidate)) {
					best = candidate
				}
			}
		}
		if best == nil {
			return nil, nil //nolint:nilnil // not every stream becomes a track
		}
		t.matches = append(t.matches, best)
		systems := common(t.systems, best.systems)
		if len(systems) == 0 && len(t.systems) > 0 && len(best.systems) > 0 {
			return nil, fail(ReasonInvalid, "a track has no key system that all of its periods have")
		}
		t.systems = systems
		if t.bandwidth != 0 && best.bandwidth > t.bandwidth {
			t.bandwidth = best.bandwidth
		}
	}
	return t, nil
}

// pair is one variant of the player: a video, an audio track, or both.
type pair struct{ video, audio *track }

// pairs are the variants in the player's order, without those that bring no new track: these do not count.
func pairs(videos, audios []*track) []pair {
	var out []pair
	switch {
	case len(videos) == 0 || len(audios) == 0:
		for _, v := range videos {
			out = append(out, pair{video: v})
		}
		for _, a := range audios {
			out = append(out, pair{audio: a})
		}
		return out
	}
	seen := map[*track]bool{}
	for _, a := range audios {
		for _, v := range videos {
			if (seen[a] && seen[v]) || !compatible(a.systems, v.systems) {
				continue
			}
			seen[a], seen[v] = true, true
			out = append(out, pair{v, a})
		}
	}
	return out
}
