package dash

import (
	"fmt"
	"slices"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/verdict"
)

func steeringNote() finding {
	return finding{Effect: limited, Reason: ContentSteering, Message: "The MPD has content steering: players change the host of segments while they play, and what they ask for then is not what the browser library knows. " +
		"Offer an MPD without ContentSteering."}
}

func dependentNote() finding {
	return finding{Effect: off, Reason: DependentRepresentations, Message: "A representation depends on another one (dependencyId): players count it otherwise than seeders do. Offer an MPD without it."}
}

// obstacles are what the MPD itself shows.
func (p *Presentation) obstacles() []finding {
	var all []finding
	if len(p.Patches) > 0 {
		all = append(all, finding{Effect: warning, Reason: Patches, Message: "The MPD offers patches (PatchLocation): players load them, seeders load the whole MPD each time."})
	}
	if len(p.periods) > 1 {
		all = append(all, finding{Effect: limited, Reason: SeveralPeriods, Message: fmt.Sprintf("The MPD has %d periods: the browser library gets to see the segments of the first one that is listed only. "+
			"Offer one period, with ads and breaks within it.", len(p.periods))})
	}
	if p.Dynamic && len(p.periods) > 1 && !p.periods[0].placed {
		all = append(all, finding{Effect: off, Reason: PeriodStartUnknown, Message: "The first period of a live MPD has no start: the numbers of segments then depend on the periods that were there when a page was opened, and peers would give each other the wrong media. " +
			"Give every period its start."})
	}
	if p.Dynamic && !consistent(p.periods) {
		all = append(all, finding{Effect: off, Reason: PeriodsDiffer, Message: "The periods of a live MPD list other tracks, or list them in another order: the number of a rendition then depends on the periods that were there when a page was opened, and peers would give each other the wrong media. " +
			"List the same tracks in every period, in one order."})
	}
	if p.LowLatency && p.Dynamic {
		all = append(all, finding{Effect: limited, Reason: LowLatencyChunks, Message: "Segments are available before they are whole (availabilityTimeOffset): players fetch them from the origin while they grow, and peers share whole segments only. " +
			"Publish whole segments, or switch the players' low-latency mode off."})
	}
	readable := func(c Clock) bool { return c.Method != ClockUnknown }
	if p.Dynamic && len(p.Clocks) > 0 && !slices.ContainsFunc(p.Clocks, readable) {
		all = append(all, finding{Effect: warning, Reason: UnknownClock, Message: "Players cannot read the clocks that the MPD names (UTCTiming): those whose own clock is wrong ask for segments that are not there. " +
			"Name one of urn:mpeg:dash:utc:http-iso:2014, http-xsdate and http-head."})
	}
	return all
}

// obstacles are what the MPD shows of one rendition.
func (r Rendition) obstacles(p *Presentation) []finding {
	var all []finding
	add := func(e verdict.Effect, reason, format string) {
		if !slices.ContainsFunc(all, func(f finding) bool { return f.Reason == reason }) {
			all = append(all, finding{Effect: e, Kind: r.Type, Reason: reason, Message: fmt.Sprintf(format, r.Name)})
		}
	}
	for _, part := range r.parts {
		s := part.source
		switch {
		case s.parts:
			add(offKind, LowLatencyPartsOnly, "The segments of rendition %s are in parts with URLs of their own: players load these, and peers cannot share them. "+
				"Publish whole segments.")
		case s.addressing == byTimeline:
			add(limited, TimelineAddressing, "Rendition %s has a SegmentTimeline, which Shaka Player reads bit by bit: the browser library gets to see the first segment only, or none. "+
				"Use a SegmentTemplate with duration and $Number$.")
		case s.addressing == byIndex && s.webm:
			add(limited, UnreadableIndex, "The segments of rendition %s are in the index of a WebM file, which seeders do not read: viewers share what they have fetched themselves. "+
				"Use MP4, or a SegmentTemplate.")
		}
		if len(part.base) > 1 {
			add(limited, AlternativeURLs, "The segments of rendition %s have several URLs (BaseURL): players ask for the first one, and the browser library knows them by the second one. "+
				"Offer one BaseURL.")
		}
	}
	return all
}

// mostChanges bounds how many places in the list of periods are looked at.
const mostChanges = 4

// consistent tells whether each rendition has the same number for a player that opens the MPD now and for one that opens it
// when the first periods are gone.
func consistent(periods []*period) bool {
	if len(periods) < 2 {
		return true
	}
	whole, ok := places(periods)
	if !ok {
		return false
	}
	looked := 0
	for i := 1; i < len(periods); i++ {
		if sameKeys(periods[i-1], periods[i]) {
			continue
		}
		if looked++; looked > mostChanges {
			return false // hardly by chance
		}
		rest, ok := places(periods[i:])
		if !ok || len(rest) != len(whole) {
			return false
		}
		for place, parts := range rest {
			if before, has := whole[place]; !has || !slices.Equal(before[i:], parts) {
				return false
			}
		}
	}
	return true
}

type place struct {
	kind     identity.StreamType
	position int
}

// places are the parts of each rendition by its number.
func places(periods []*period) (map[place][]*representation, bool) {
	tracks, variants, err := numbered(periods)
	if err != nil {
		return nil, false
	}
	out := map[place][]*representation{}
	for _, s := range identity.ShakaStreams(variants) {
		out[place{s.Type, s.Position}] = tracks[s.ID].matches
	}
	return out, true
}

func sameKeys(a, b *period) bool {
	for _, kind := range []string{kindVideo, kindAudio} {
		if !slices.EqualFunc(a.streams(kind), b.streams(kind), func(x, y *representation) bool { return x.combineKey() == y.combineKey() }) {
			return false
		}
	}
	return true
}
