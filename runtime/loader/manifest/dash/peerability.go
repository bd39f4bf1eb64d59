package dash

import (
	"fmt"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest/verdict"
)

// Reasons why a presentation cannot be shared, or not all of it. Those of HLS that can be told of an MPD have its names.
const (
	// Peerable is the reason given when all is well.
	Peerable = verdict.Peerable
	// TimelineAddressing: segments are listed in a SegmentTimeline, which the browser library does not get to see.
	TimelineAddressing = "TimelineAddressing"
	// SeveralPeriods: the browser library gets to see the segments of one period only.
	SeveralPeriods = "SeveralPeriods"
	// PeriodsDiffer: the number of a rendition depends on the periods that were there when a page was opened.
	PeriodsDiffer = "PeriodsDiffer"
	// PeriodStartUnknown: the numbers of segments depend on the periods that were there when a page was opened.
	PeriodStartUnknown = "PeriodStartUnknown"
	// NumbersMove: segments that were listed before have other numbers now.
	NumbersMove = "NumbersMove"
	// AlternativeURLs: segments have several URLs, and the browser library knows them by another one than the player asks for.
	AlternativeURLs = "AlternativeURLs"
	// ContentSteering: the player changes the URLs of segments while it plays.
	ContentSteering = "ContentSteering"
	// SegmentsTooShort: several segments have one number, since it counts half seconds.
	SegmentsTooShort = "SegmentsTooShort"
	// RepeatedURLs: several segments have one URL, and only the first of them exists for peers.
	RepeatedURLs = "RepeatedURLs"
	// LowLatencyPartsOnly: players load parts of segments under URLs of their own, which peers never share.
	LowLatencyPartsOnly = "LowLatencyPartsOnly"
	// LowLatencyChunks: players fetch segments before they are whole, and peers share whole ones only.
	LowLatencyChunks = "LowLatencyChunks"
	// LiveWindowTooShort: there is no room between viewers and the live edge.
	LiveWindowTooShort = "LiveWindowTooShort"
	// PresentationDelayTooShort: the MPD places viewers so near the live edge that there is no room.
	PresentationDelayTooShort = "PresentationDelayTooShort"
	// DependentRepresentations: the player counts tracks that are made of several.
	DependentRepresentations = "DependentRepresentations"
	// UnreadableIndex: the index of a WebM file is not read, so that seeders have nothing to fetch.
	UnreadableIndex = "UnreadableIndex"
	// NothingAvailable: no segment of a live MPD is there yet, or the clock is wrong.
	NothingAvailable = "NothingAvailable"
	// UnknownClock: what is available follows from a clock that players cannot read.
	UnknownClock = "UnknownClock"
	// Patches: players load patches of the MPD.
	Patches = "Patches"
)

// minRoomSegments is the least room behind the live edge, in segments, that peers can make use of.
const minRoomSegments = 2

// traits are what a playlist showed of its segments.
type traits struct {
	timeline, parts, manyURLs bool
	repeated, sharedIDs       int
	moved                     int // segments that newcomers number otherwise
}

// Verdict is whether viewers can share a presentation.
type Verdict = verdict.Verdict

// Short names of what is in each finding.
type finding = verdict.Finding

const (
	warning = verdict.Warning
	limited = verdict.Limited
	offKind = verdict.OffKind
	off     = verdict.Off
)

// note adds a finding about the whole presentation once.
func (p *Presentation) note(f finding) {
	if !slices.ContainsFunc(p.notes, func(other finding) bool { return other.Reason == f.Reason }) {
		p.notes = append(p.notes, f)
	}
}

// Findings are the reasons that Judge weighs, in the order of the MPD, for those who weigh them with others. Playlists are keyed by
// Rendition.Name.
func Findings(p *Presentation, playlists map[string]*Playlist) []verdict.Finding {
	all := slices.Clone(p.notes)
	all = append(all, p.obstacles()...)
	for _, r := range p.Renditions {
		all = append(all, r.obstacles(p)...)
		if list := playlists[r.Name]; list != nil {
			all = append(all, r.judge(p, list)...)
		}
	}
	if nothing(p, playlists) {
		all = append(all, finding{Effect: warning, Reason: NothingAvailable, Message: "By the clock no segment is available: the event has not begun, or the origin's clock or availabilityStartTime is wrong."})
	}
	return all
}

// Judge tells whether viewers can share p. playlists are keyed by Rendition.Name; renditions without one are judged by
// the MPD alone.
func Judge(p *Presentation, playlists map[string]*Playlist) Verdict {
	return verdict.Weigh(Findings(p, playlists))
}

// nothing tells whether live playlists were read and all of them are empty.
func nothing(p *Presentation, playlists map[string]*Playlist) bool {
	for _, list := range playlists {
		if !list.Live || list.Entries > 0 {
			return false
		}
	}
	return p.Dynamic && len(playlists) > 0
}

// ViewerDelay is how far behind the live edge the MPD places a viewer of a player in its default settings.
// Source: shaka-player 4.16.9, DashParser.processManifest_.
func (p *Presentation) ViewerDelay() time.Duration {
	delay := p.Delay
	if delay == 0 {
		delay = p.MinBuffer + p.MinBuffer/2
	}
	if p.TimeShiftBuffer > 0 {
		delay = min(delay, p.TimeShiftBuffer)
	}
	return delay
}

// Room is how far behind the live edge a viewer is that plays p as the MPD says, and at most what is listed.
func (p *Presentation) Room(list *Playlist) time.Duration { return min(p.ViewerDelay(), list.Window) }

// judge says what one playlist shows.
func (r Rendition) judge(p *Presentation, list *Playlist) []finding {
	var all []finding
	t := list.traits
	if t.sharedIDs > 0 {
		all = append(all, finding{Effect: offKind, Kind: r.Type, Reason: SegmentsTooShort, Message: fmt.Sprintf("Segments of rendition %s begin within the same half second, which is what the browser library counts: "+
			"peers would give each other the wrong media. Make segments of 1 s or more; 4 s is good.", r.Name)})
	}
	if t.moved > 0 {
		all = append(all, finding{Effect: offKind, Kind: r.Type, Reason: NumbersMove, Message: fmt.Sprintf("%d segments of rendition %s start at another time than before: pages that were opened before and after count them otherwise, and peers would give each other the wrong media. "+
			"Keep the start of periods and presentationTimeOffset as they are.", t.moved, r.Name)})
	}
	if t.repeated > 0 {
		all = append(all, finding{Effect: limited, Reason: RepeatedURLs, Message: fmt.Sprintf("%d segments of rendition %s have the URL of an earlier one: only the first one is shared. "+
			"Put $Number$ or $Time$ into the template's media.", t.repeated, r.Name)})
	}
	if list.Live && p.TimeShiftBuffer > 0 && p.TimeShiftBuffer < (minRoomSegments+1)*list.Target {
		all = append(all, finding{Effect: limited, Reason: LiveWindowTooShort, Message: fmt.Sprintf("The MPD keeps %v of rendition %s with segments of up to %v: there is no room between viewers and live edge. "+
			"Set timeShiftBufferDepth to 60 s or more.", p.TimeShiftBuffer.Round(time.Second), r.Name, list.Target.Round(time.Millisecond))})
	}
	if delay := p.ViewerDelay(); list.Live && list.Target > 0 && delay < minRoomSegments*list.Target && p.Delay > 0 {
		all = append(all, finding{Effect: limited, Reason: PresentationDelayTooShort, Message: fmt.Sprintf("The MPD places viewers %v behind the live edge, less than %d segments of rendition %s: "+
			"peers have no time to share. Set suggestedPresentationDelay to 25 s or more.", delay, minRoomSegments, r.Name)})
	}
	return all
}
