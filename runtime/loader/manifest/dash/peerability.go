package dash

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Reasons why a presentation cannot be shared, or not all of it. Those of HLS that can be told of an MPD have its names.
const (
	// Peerable is the reason given when all is well.
	Peerable = "Peerable"
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
type Verdict struct {
	// Peerable is false if viewers cannot share the presentation, or not all of it.
	Peerable bool
	// Reason is Peerable or the weightiest reason against. Message is empty or for people; if Peerable is set, it is a
	// warning.
	Reason, Message string
	// MainOff and SecondaryOff are set if peers would mix the renditions of that type: players of the browser library must
	// be told to use the origin alone.
	MainOff, SecondaryOff bool
}

// effect is how much a finding weighs.
type effect int

const (
	warning effect = iota // peers share, but something should be changed
	limited               // peers share little; P2P stays on
	offKind               // P2P is off for one type of rendition
	off                   // P2P is off
)

type finding struct {
	effect          effect
	kind            identity.StreamType // of offKind
	reason, message string
}

// note adds a finding about the whole presentation once.
func (p *Presentation) note(f finding) {
	if !slices.ContainsFunc(p.notes, func(other finding) bool { return other.reason == f.reason }) {
		p.notes = append(p.notes, f)
	}
}

// Finding is one reason that Judge weighs.
type Finding struct {
	// Reason is one of those above, Message is for people.
	Reason, Message string
	// Against is set if viewers cannot share the presentation, or not all of it; else it is a warning.
	Against bool
	// Off is set if peers would mix renditions: of Kind, or all if that is empty.
	Off  bool
	Kind identity.StreamType
}

// Findings are the reasons that Judge weighs, in the order of the MPD, for those who weigh them with others.
func Findings(p *Presentation, playlists map[string]*Playlist) []Finding {
	var out []Finding
	for _, f := range findings(p, playlists) {
		all := Finding{Reason: f.reason, Message: f.message, Against: f.effect > warning, Off: f.effect >= offKind}
		if f.effect == offKind {
			all.Kind = f.kind
		}
		out = append(out, all)
	}
	return out
}

func findings(p *Presentation, playlists map[string]*Playlist) []finding {
	all := slices.Clone(p.notes)
	all = append(all, p.obstacles()...)
	for _, r := range p.Renditions {
		all = append(all, r.obstacles(p)...)
		if list := playlists[r.Name]; list != nil {
			all = append(all, r.judge(p, list)...)
		}
	}
	if nothing(p, playlists) {
		all = append(all, finding{warning, "", NothingAvailable, "By the clock no segment is available: the event has not begun, or the origin's clock or availabilityStartTime is wrong."})
	}
	return all
}

// Judge tells whether viewers can share p. playlists are keyed by Rendition.Name; renditions without one are judged by
// the MPD alone.
func Judge(p *Presentation, playlists map[string]*Playlist) Verdict {
	all := findings(p, playlists)
	// The first of the weightiest is told; the order among equals is that of the MPD.
	slices.SortStableFunc(all, func(a, b finding) int { return cmp.Compare(b.effect, a.effect) })
	v := Verdict{Peerable: true, Reason: Peerable}
	var also []string
	for i, f := range all {
		switch {
		case i == 0 && f.effect == warning:
			v.Message = f.reason + ": " + f.message // the reason itself is Peerable
		case i == 0:
			v.Message = f.message
		case f.reason != all[0].reason && !slices.Contains(also, f.reason):
			also = append(also, f.reason)
		}
		if f.effect > warning && v.Peerable {
			v.Peerable, v.Reason = false, f.reason
		}
		v.MainOff = v.MainOff || f.effect == off || (f.effect == offKind && f.kind == identity.Main)
		v.SecondaryOff = v.SecondaryOff || f.effect == off || (f.effect == offKind && f.kind == identity.Secondary)
	}
	if len(also) > 0 {
		v.Message += " Also: " + strings.Join(also, ", ") + "."
	}
	return v
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
		all = append(all, finding{offKind, r.Type, SegmentsTooShort, fmt.Sprintf("Segments of rendition %s begin within the same half second, which is what the browser library counts: "+
			"peers would give each other the wrong media. Make segments of 1 s or more; 4 s is good.", r.Name)})
	}
	if t.moved > 0 {
		all = append(all, finding{offKind, r.Type, NumbersMove, fmt.Sprintf("%d segments of rendition %s start at another time than before: pages that were opened before and after count them otherwise, and peers would give each other the wrong media. "+
			"Keep the start of periods and presentationTimeOffset as they are.", t.moved, r.Name)})
	}
	if t.repeated > 0 {
		all = append(all, finding{limited, "", RepeatedURLs, fmt.Sprintf("%d segments of rendition %s have the URL of an earlier one: only the first one is shared. "+
			"Put $Number$ or $Time$ into the template's media.", t.repeated, r.Name)})
	}
	if list.Live && p.TimeShiftBuffer > 0 && p.TimeShiftBuffer < (minRoomSegments+1)*list.Target {
		all = append(all, finding{limited, "", LiveWindowTooShort, fmt.Sprintf("The MPD keeps %v of rendition %s with segments of up to %v: there is no room between viewers and live edge. "+
			"Set timeShiftBufferDepth to 60 s or more.", p.TimeShiftBuffer.Round(time.Second), r.Name, list.Target.Round(time.Millisecond))})
	}
	if delay := p.ViewerDelay(); list.Live && list.Target > 0 && delay < minRoomSegments*list.Target && p.Delay > 0 {
		all = append(all, finding{limited, "", PresentationDelayTooShort, fmt.Sprintf("The MPD places viewers %v behind the live edge, less than %d segments of rendition %s: "+
			"peers have no time to share. Set suggestedPresentationDelay to 25 s or more.", delay, minRoomSegments, r.Name)})
	}
	return all
}
