package manifest

import (
	"errors"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// An MPD lists the segments of all renditions. What the rest knows as a rendition with a media playlist is a part of it: the
// playlist is computed from the newest MPD and, where segments are named by number, from the clock.

// presentationOf is an MPD in the model of this package. manifestURL is the URL that is configured. Renditions of an MPD have
// no URI; the one that they get tells them apart and names the manifest.
func presentationOf(p *dash.Presentation, manifestURL string) *Presentation {
	out := &Presentation{URL: p.URL, DefaultSwarmID: p.DefaultSwarmID, Format: FormatDASH, mpd: p}
	for _, d := range p.Renditions {
		r := Rendition{Name: d.Name, Bandwidth: d.Bandwidth, Codecs: d.Codecs, Resolution: d.Resolution, Stream: d.Stream, byTime: true}
		r.URI = manifestURL + "#" + d.Name
		out.Renditions = append(out.Renditions, r)
	}
	return out
}

// mpdError is an error of package dash as one of this package.
func mpdError(rawURL string, err error) *Error {
	reason := ReasonInvalid
	switch dash.ReasonOf(err) {
	case dash.ReasonTooLarge:
		reason = ReasonTooLarge
	case dash.ReasonNotMPD:
		reason = ReasonNotPlaylist
	case dash.ReasonScheme:
		reason = ReasonScheme
	}
	return fail(reason, rawURL, err)
}

// Bounds of the times of segments. An MPD may count from 1970; what is beyond cannot be counted in a time.Duration.
const (
	maxStart    = 200 * 365 * 24 * time.Hour
	leastTarget = time.Second // of an MPD that lists nothing and promises nothing
	mostEntries = 1 << 30     // counted
)

var errBeyond = errors.New("a segment begins more than 200 years from the begin of the presentation")

// playlistOf is the list of a rendition in the model of this package. before is an earlier state, or nil.
func playlistOf(p *dash.Presentation, r Rendition, list *dash.Playlist, before *Playlist) (*Playlist, error) {
	out := &Playlist{
		Live: list.Live, Ended: list.Ended || finished(p, list), TargetDuration: list.Target, Entries: int(min(list.Entries, mostEntries)), Omitted: list.Omitted,
		Window: min(max(list.Window, 0), maxStart), ResponseURL: p.URL, ByTime: true,
		Segments: make([]Segment, 0, len(list.Segments)), mpd: list, epoch: p.AvailabilityStart, due: list.Due(),
	}
	if out.TargetDuration <= 0 {
		out.TargetDuration = max(p.MaxSegment, leastTarget)
	}
	out.TargetDuration = min(out.TargetDuration, maxDuration)
	names := newNamer(r)
	for i, d := range list.Segments {
		if d.Start > maxStart || d.Start < -maxStart {
			return nil, fail(ReasonTooLarge, p.URL, errBeyond)
		}
		s := Segment{
			URL: d.URL, Alternatives: d.Alternatives, Start: d.Start, Duration: min(max(d.Duration, 0), maxDuration), Encrypted: d.Encrypted,
			Discontinuity: d.First && i > 0, Init: resourceOf(d.Init), position: d.Position, byTime: true, ids: d.IDs, following: d.Next,
		}
		if d.Range != nil {
			s.Range = &ByteRange{Offset: d.Range.Offset, Length: d.Range.Length}
		}
		s.name = names.name(s.URL, s.Range, d.IDs.Counted)
		out.Segments = append(out.Segments, s)
	}
	out.MediaSequence = ordinal(list, out, before)
	for i := range out.Segments {
		out.Segments[i].Sequence = out.MediaSequence + out.Segments[i].position
	}
	return out, nil
}

func resourceOf(r *dash.Resource) *Resource {
	if r == nil {
		return nil
	}
	out := &Resource{URL: r.URL, Alternatives: r.Alternatives}
	if r.Range != nil {
		out.Range = &ByteRange{Offset: r.Range.Offset, Length: r.Range.Length}
	}
	return out
}

// finished tells whether all of a presentation is listed, and its MPD does not change any more: a live event may end so.
func finished(p *dash.Presentation, list *dash.Playlist) bool {
	n := len(list.Segments)
	if p.Live || p.MinimumUpdate >= 0 || p.Duration <= 0 || n == 0 {
		return false
	}
	last := list.Segments[n-1]
	const rounding = 100 * time.Millisecond
	return last.Start+last.Duration >= p.Duration-rounding
}

// ordinal is the number of the first entry. Where the MPD numbers the segments of the whole presentation it is that number;
// else the segments go on from those of the state before, which is found by their times.
func ordinal(list *dash.Playlist, p, before *Playlist) int64 {
	switch {
	case list.Numbered:
		return list.First
	case len(p.Segments) == 0 && before != nil:
		return before.MediaSequence
	case len(p.Segments) == 0:
		return 0
	}
	first, last := p.Segments[0], p.Segments[len(p.Segments)-1]
	if before == nil || len(before.Segments) == 0 || !before.epoch.Equal(p.epoch) && !p.epoch.IsZero() {
		if p.Ended {
			return 0
		}
		return max(0, int64((first.Start+p.TargetDuration/2)/p.TargetDuration)) - first.position
	}
	steps := func(gap time.Duration) int64 { return int64((gap + p.TargetDuration/2) / p.TargetDuration) }
	oldFirst, oldLast := before.Segments[0], before.Segments[len(before.Segments)-1]
	if gap := first.Start - (oldLast.Start + oldLast.Duration); gap >= 0 {
		return oldLast.Sequence + 1 + steps(gap) - first.position
	}
	if gap := oldFirst.Start - (last.Start + last.Duration); gap >= 0 {
		return max(0, oldFirst.Sequence-1-steps(gap)-last.position)
	}
	i, j := 0, 0
	for i < len(p.Segments) && j < len(before.Segments) {
		a, b := p.Segments[i], before.Segments[j]
		switch {
		case a.Start == b.Start:
			return b.Sequence - a.position
		case a.Start < b.Start:
			i++
		default:
			j++
		}
	}
	// The same time is cut otherwise now: the first one goes on at the one that was there at its time.
	for _, b := range before.Segments {
		if b.Start+b.Duration > first.Start {
			return b.Sequence - first.position
		}
	}
	return oldLast.Sequence + 1 - first.position
}

// freshFor is how long an MPD is good for.
func freshFor(p *dash.Presentation) time.Duration {
	switch {
	case !p.Dynamic:
		return shareLoad // followers ask for one that has ended seldom
	case !byClock(p):
		return shortestPoll // new segments are in the MPD only
	case p.MinimumUpdate < 0:
		return longestFresh
	}
	return min(max(p.MinimumUpdate, shortestFresh), longestFresh)
}

// Bounds of how long an MPD is used.
const (
	// shareLoad is how old an MPD may be that another rendition has just loaded.
	shareLoad     = 500 * time.Millisecond
	shortestFresh = time.Second
	longestFresh  = time.Minute
)

// byClock tells whether all segments follow from the MPD and the clock.
func byClock(p *dash.Presentation) bool {
	for _, r := range p.Renditions {
		if !r.ByClock() {
			return false
		}
	}
	return true
}
