package dash

import (
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Format is the Format of a Presentation made from an MPD.
const Format = "DASH"

// Presentation is one state of an MPD. It is never changed after Parse has returned it.
type Presentation struct {
	// URL is the response URL; DefaultSwarmID is the swarm id of a player without a configured one.
	URL, DefaultSwarmID string
	// Format is Format.
	Format string
	// Dynamic is set if the MPD can change (type="dynamic"), Live if its end is not known either. An event that has ended
	// is neither.
	Dynamic, Live bool
	// ID and PublishTime are as written; the time is zero if there is none.
	ID          string
	PublishTime time.Time
	// Reload are the URLs that the next state is loaded from, best first: Location, else URL. A player keeps the swarm id
	// of the first response all the same.
	Reload []string
	// Patches are the URLs at which players load patches instead of the next state. Each state can be loaded as a whole.
	Patches []string
	// AvailabilityStart is the time that presentation times count from, zero if there is none.
	AvailabilityStart time.Time
	// MinimumUpdate is how long a state is good for; below 0 if the MPD does not change any more.
	MinimumUpdate time.Duration
	// Duration of the presentation, TimeShiftBuffer, Delay (suggestedPresentationDelay), MinBuffer and MaxSegment: 0 if unknown.
	Duration, TimeShiftBuffer, Delay, MinBuffer, MaxSegment time.Duration
	// Clocks are the ways to find the time, best first (UTCTiming).
	Clocks []Clock
	// Renditions are those that players of the browser library count, in the order of its numbers, main ones first.
	Renditions []Rendition
	// Others are tracks that are not shared: text, images, trick mode.
	Others []Track
	// LowLatency is set if all segments are available before they are whole.
	LowLatency bool

	doc     *mpd
	periods []*period
	notes   []finding
}

// ClockMethod is how a Clock is read.
type ClockMethod string

// Methods of a Clock. Players read no other one, such as NTP.
const (
	// ClockHead: the Date header of the answer to a HEAD request.
	ClockHead ClockMethod = "http-head"
	// ClockGet: a date and time in the body (xs:dateTime, ISO 8601).
	ClockGet ClockMethod = "http-get"
	// ClockDirect: a date and time in the MPD itself, good when it was published.
	ClockDirect ClockMethod = "direct"
	// ClockUnknown: none that players know.
	ClockUnknown ClockMethod = "unknown"
)

// Clock is a UTCTiming element.
type Clock struct {
	Method ClockMethod
	// URL is where to ask; Time is the time of ClockDirect.
	URL  string
	Time time.Time
	// Scheme is the scheme as written.
	Scheme string
}

// Track says what an adaptation set is.
type Track struct {
	// Kind is video, audio, text, image or trick.
	Kind string
	// Language is the tag in the player's normal form, und without one. Label and Roles are as written.
	Language, Label string
	Roles           []string
}

// Rendition is one quality of video or one audio track, through all periods.
type Rendition struct {
	// Name is unique in the presentation: "720p", "audio-en".
	Name string
	Track
	// Bandwidth is the largest of all periods in bits per second, 0 if unknown.
	Bandwidth int64
	// Codecs, MimeType, Resolution (1280x720) and VideoRange (SDR, PQ, HLG) are empty if unknown.
	Codecs, MimeType, Resolution, VideoRange string
	// FrameRate in frames per second and Channels: 0 if unknown.
	FrameRate float64
	Channels  int
	// Encrypted is set if the media is ciphertext, or part of it. Keys are never shared.
	Encrypted bool
	// Indexes are the segment indexes (sidx) that Playlist needs, nil if segments are named by the MPD.
	Indexes []Resource
	// Stream is the identity; URI is empty, since players do not name renditions by URI.
	identity.Stream

	parts []*representation // one of each period
}

// ByClock tells whether all segments follow from the MPD and the clock, so that the MPD need not be loaded for each.
func (r Rendition) ByClock() bool {
	for _, part := range r.parts {
		if part.source.addressing != byNumber {
			return false
		}
	}
	return true
}

// Playlist are the segments of one rendition at one time.
type Playlist struct {
	// Live is set while segments come and go, Ended if all of them are there.
	Live, Ended bool
	// Segments by start. An entry that repeats an earlier URL and range is left out, since it does not exist for peers.
	Segments []Segment
	// Omitted counts the oldest segments of a very long list, which are not in Segments.
	Omitted int64
	// Entries counts all segments, repeated and omitted ones included.
	Entries int64
	// Window is the time from the start of the first entry to the end of the last one.
	Window time.Duration
	// Target is the longest duration of a segment.
	Target time.Duration
	// Numbered is set if the MPD numbers all segments one after the other, so that First, the number of the first entry, is
	// the same for everyone. Else First is 0.
	Numbered bool
	First    int64

	traits traits
}

// ByteRange is a part of a resource.
type ByteRange struct {
	// Offset of the first byte, and Length, in bytes.
	Offset, Length int64
}

// Resource is a URL, or a part of what it names.
type Resource struct {
	// URL is absolute, as the player resolves it.
	URL string
	// Range is nil for the whole resource.
	Range *ByteRange
	// Alternatives are further URLs of the same bytes.
	Alternatives []string `json:"-"`
}

// Key names the resource's bytes: the URL, or URL|first-last.
func (r Resource) Key() string {
	if r.Range == nil {
		return r.URL
	}
	return r.URL + "|" + strconv.FormatInt(r.Range.Offset, 10) + "-" + strconv.FormatInt(r.Range.Offset+r.Range.Length-1, 10)
}

// Segment is the unit that peers exchange.
type Segment struct {
	// IDs are the external ids: the start in half seconds, for V3 in tenths of a second. Next are those that a segment would
	// have which begins when this one ends: ids are not dense.
	IDs, Next identity.Numbers
	// Position is the place among all entries, repeated and omitted ones included.
	Position int64
	// URL is absolute; Range is nil if the segment is the whole resource. Alternatives are further URLs of the same bytes.
	URL          string
	Range        *ByteRange
	Alternatives []string
	// Start on the presentation's timeline, and Duration.
	Start, Duration time.Duration
	// Init is the initialization segment, nil without. It is shared by the segments of a period.
	Init *Resource
	// Available is when the segment is whole, by the origin's clock; zero if the MPD lists it, so that it is there.
	Available time.Time
	// Period is the id of its period, empty without. First is set if it is the first listed one of its period.
	Period string
	First  bool
	// Encrypted is set if the bytes are ciphertext.
	Encrypted bool

	start, end float64
}

// Due is when the next segment is whole, by the origin's clock; zero if that does not follow from the MPD and the clock alone.
func (p *Playlist) Due() time.Time {
	if n := len(p.Segments); n > 0 && !p.Segments[n-1].Available.IsZero() {
		last := p.Segments[n-1]
		return last.Available.Add(last.Duration)
	}
	return time.Time{}
}

// Key names the segment's bytes, as browsers know them.
func (s Segment) Key() string { return Resource{URL: s.URL, Range: s.Range}.Key() }
