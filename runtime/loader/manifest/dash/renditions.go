package dash

import (
	"math"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// renditions are the tracks that the browser library counts, with their identity.
func (m *mpd) renditions(p *Presentation) ([]Rendition, error) {
	for _, kind := range []string{kindVideo, kindAudio} {
		for _, period := range m.periods {
			for _, a := range period.sets {
				for _, r := range a.tracks {
					if r.dependent && a.kind == kind {
						p.note(dependentNote())
					}
				}
			}
		}
	}
	streams, variants, err := numbered(m.periods)
	if err != nil {
		return nil, err
	}
	var out []Rendition
	names := map[string]bool{}
	written := writtenNames(m.periods)
	for _, kind := range []identity.StreamType{identity.Main, identity.Secondary} {
		for _, s := range identity.ShakaStreams(variants) {
			if s.Type != kind {
				continue
			}
			r := newRendition(streams[s.ID], s.Stream)
			r.Name, r.Written = unique(r.Name, names), written.of(streams[s.ID])
			out = append(out, r)
		}
	}
	return out, nil
}

// numbered are the tracks of periods by number, and the player's variants with these numbers.
func numbered(periods []*period) ([]*track, []identity.ShakaVariant, error) {
	videos, err := combine(periods, kindVideo)
	if err != nil {
		return nil, nil, err
	}
	audios, err := combine(periods, kindAudio)
	if err != nil {
		return nil, nil, err
	}
	all := append(append([]*track{}, videos...), audios...)
	ids := map[*track]int64{}
	for i, t := range all {
		ids[t] = int64(i)
	}
	var variants []identity.ShakaVariant
	for _, v := range pairs(videos, audios) {
		var variant identity.ShakaVariant
		if v.video != nil {
			variant.Video = v.video.identity(ids[v.video])
			variant.Bandwidth += v.video.bandwidth
		}
		if v.audio != nil {
			variant.Audio = v.audio.identity(ids[v.audio])
			variant.Bandwidth += v.audio.bandwidth
		}
		variants = append(variants, variant)
	}
	return all, variants, nil
}

// identity is what the browser library looks at.
func (t *track) identity(id int64) *identity.ShakaTrack {
	present := func(n float64) identity.Value {
		if n == 0 {
			return identity.Value{}
		}
		return identity.Number(n)
	}
	return &identity.ShakaTrack{
		ID: id, Codecs: t.codecs, Width: present(t.width), Height: present(t.height), FrameRate: present(t.frameRate), HDR: t.hdr,
		Language: t.set.language, Channels: present(t.channels), Label: t.set.label, OriginalID: t.originalID(),
	}
}

// originalID is the ids of the representations, without a repeated one.
// Source: shaka-player 4.16.9, PeriodCombiner.concatenateStreams_.
func (t *track) originalID() string {
	out := ""
	for i, r := range t.matches {
		switch {
		case i == 0:
			out = r.id
		case r.id != "" && !strings.HasSuffix(out, r.id):
			out += "," + r.id
		}
	}
	return out
}

func newRendition(t *track, s identity.Stream) Rendition {
	a := t.set
	r := Rendition{
		Track: Track{Kind: a.kind, Language: a.language, Label: a.label, Roles: a.roles}, Bandwidth: int64(math.Min(t.bandwidth, maxInteger)),
		Codecs: t.codecs, MimeType: t.mimeType, VideoRange: t.hdr, FrameRate: t.frameRate, Channels: int(math.Min(t.channels, math.MaxInt32)), Stream: s, parts: t.matches,
	}
	if t.width != 0 && t.height != 0 {
		r.Resolution = identity.FormatNumber(t.width) + "x" + identity.FormatNumber(t.height)
	}
	indexes := map[string]bool{}
	for _, part := range t.matches {
		r.Encrypted = r.Encrypted || part.encrypted
		if part.source.addressing == byIndex && !part.source.webm {
			if index := part.source.index.resource(); !indexes[index.Key()] {
				indexes[index.Key()] = true
				r.Indexes = append(r.Indexes, index)
			}
		}
	}
	r.Name = renditionName(r, t)
	return r
}
