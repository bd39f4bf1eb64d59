package manifest

import (
	"slices"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest/dash"
)

// Presentation is one manifest as players open it.
type Presentation struct {
	// URL is the response URL: after redirects, as a browser would print it.
	URL string
	// DefaultSwarmID is the swarm id of a player without a configured one.
	DefaultSwarmID string
	// Format is FormatHLS or FormatDASH.
	Format string
	// Renditions are those that can be fetched, main ones first.
	Renditions []Rendition
	// UnknownCodecs is set if a codec is listed that hls.js does not know: the
	// browser then decides the V23 identity, and it can differ between viewers.
	UnknownCodecs bool
	// Text is the body as the origin sent it; nil if it was parsed and not loaded.
	Text []byte

	further   []Rendition // those that hls.js does not list
	variables map[string]string
	mpd       *dash.Presentation // nil for HLS
	cost      time.Duration      // of reading mpd
}

// Other is the rendition at uri that peers do not share, such as subtitles, so
// that its playlist can be loaded too. It has no identity.
func (p *Presentation) Other(uri string) Rendition {
	return Rendition{Name: "other", Stream: identity.Stream{URI: uri}, variables: p.variables}
}

// SharedBy are the renditions for peers of these generations: Renditions, and those that hls.js does not list and one of the
// generations shares all the same (identity.WrittenOnly).
func (p *Presentation) SharedBy(generations []identity.Generation) []Rendition {
	out := slices.Clip(p.Renditions)
	for _, r := range p.further {
		if r.SharedBy(generations) {
			out = append(out, r)
		}
	}
	return out
}

// Rendition is one quality or audio track of a Presentation.
type Rendition struct {
	// Name is unique in the presentation: "720p", "audio-en".
	Name string
	// Bandwidth in bits per second as written; 0 if it is not.
	Bandwidth int64
	// Codecs and Resolution are the attribute texts, empty if absent.
	Codecs, Resolution string
	// Backup is set if an earlier rendition has the same V23 swarm (equal
	// properties under another URI). Join V23 for the earlier one only.
	Backup bool
	// Stream is the identity.
	identity.Stream

	// variables are those of the multivariant playlist, for EXT-X-DEFINE
	// IMPORT in the media playlist.
	variables map[string]string
	// paths are the source's SignedPaths.
	paths []string
	// byTime is set if the rendition is one of an MPD.
	byTime bool
}

// Playlist is one state of one rendition's media playlist. It is never changed
// after it has been handed out.
type Playlist struct {
	// Live is set if the rendition was live when it was first loaded. Ended is
	// set once EXT-X-ENDLIST stands in it. VOD is Ended without Live.
	Live, Ended bool
	// TargetDuration as hls.js reads it (whole seconds, at least one).
	TargetDuration time.Duration
	// PartTarget is the target of LL-HLS parts, 0 without.
	PartTarget time.Duration
	// MediaSequence is that of the first entry of the playlist. Segments of an MPD are numbered by their order, so that these
	// numbers are as dense as those of HLS.
	MediaSequence int64
	// Segments in playlist order. An entry that repeats an earlier URL and
	// range is left out, since it does not exist for peers.
	Segments []Segment
	// Omitted counts the oldest entries of a very long playlist, which are not in
	// Segments. Numbers, times, Entries and Window are those of the whole playlist.
	Omitted int64
	// Window is the sum of all durations.
	Window time.Duration
	// Entries counts the entries of the playlist, repeated and omitted ones
	// included.
	Entries int
	// LowLatencyParts is set if the playlist offers LL-HLS parts.
	LowLatencyParts bool
	// CanSkip is set if the origin offers delta updates (CAN-SKIP-UNTIL),
	// CanBlock if it offers blocking reloads (CAN-BLOCK-RELOAD).
	CanSkip, CanBlock bool
	// IFramesOnly is set for trick-play playlists.
	IFramesOnly bool
	// Miscounted is set if a duration is below zero or has text before its comma:
	// hls.js takes that text for the URI of one more segment. So browsers number the segments behind it otherwise,
	// and, as the playlist moves on, give one number to two segments.
	Miscounted bool
	// FetchedAt is when the response arrived.
	FetchedAt time.Time
	// ResponseURL is the URL after redirects.
	ResponseURL string
	// Redirected is set if ResponseURL is not the URI in the multivariant
	// playlist: browsers then share nothing of this rendition.
	Redirected bool
	// Restarted is set by Follow on the first playlist of a stream that began
	// anew with lower sequence numbers: ids seen before name other media now.
	Restarted bool
	// Text is the body as the origin sent it; nil if it was parsed and not loaded, and from Follow unless
	// FollowOptions.EveryText is set. If entries were omitted, it is that of a playlist with the others.
	Text []byte

	// ByTime is set if peers know segments by their time and not by their number, as with DASH: ids are not dense, segments
	// keep them when an event ends, and Start is the time of the presentation.
	ByTime bool

	cost  time.Duration // of reading it
	mpd   *dash.Playlist
	epoch time.Time // from which the times of an MPD count
	due   time.Time // when the next segment of an MPD is there, by the origin's clock; zero if the clock does not tell
}

// ByteRange is a part of a resource.
type ByteRange struct {
	// Offset of the first byte, and Length, in bytes.
	Offset, Length int64
}

// Resource is a URL, or a part of what it names.
type Resource struct {
	// URL is absolute.
	URL string
	// Range is nil for the whole resource.
	Range *ByteRange
	// Alternatives are further URLs of the same bytes, which are asked when the first one fails.
	Alternatives []string
}

// Key names the resource's bytes: the URL, or URL|first-last.
func (r Resource) Key() string {
	if r.Range == nil {
		return r.URL
	}
	return r.URL + "|" + strconv.FormatInt(r.Range.Offset, 10) + "-" +
		strconv.FormatInt(r.Range.Offset+r.Range.Length-1, 10)
}

// Segment is the unit that peers exchange.
type Segment struct {
	// Sequence is the media sequence number.
	Sequence int64
	// URL is absolute, as hls.js resolves it.
	URL string
	// Range is nil if the segment is the whole resource.
	Range *ByteRange
	// Alternatives are further URLs of the same bytes: several BaseURL elements of an MPD name them.
	Alternatives []string
	// Start counts from the first segment of the first playlist that was
	// loaded; Duration is EXTINF.
	Start, Duration time.Duration
	// Gap marks a segment that the origin does not have (EXT-X-GAP).
	Gap bool
	// Init is the initialization section (EXT-X-MAP), nil without.
	Init *Resource
	// Encrypted is set if a key applies: the bytes are ciphertext.
	Encrypted bool
	// Discontinuity is set if EXT-X-DISCONTINUITY stands before the segment.
	Discontinuity bool

	// ids are what generations call it: of a segment of an MPD the ids, else what they are more than Sequence, so that the
	// zero value means "numbered by media sequence". following are those of the segment of an MPD that begins where it ends.
	ids, following identity.Numbers
	// position is the place in the playlist, repeated entries included, and repeated how far behind it the last entry with
	// the same URL and range stands.
	position, repeated int64
	// name is set if the URL can be signed: its key.
	name string
	// byTime is set for a segment of an MPD.
	byTime bool
}

// Key names the segment's bytes: the URL, or URL|first-last with a byte range.
// The key of a URL with a query has the number and the rendition in the place of
// the query, so that it stays when the URL is signed anew. It is the same for
// every generation, so that a store needs one copy only.
func (s Segment) Key() string {
	if s.name != "" {
		return s.name
	}
	return s.runtimeID()
}

// runtimeID is what browsers know the segment by.
func (s Segment) runtimeID() string { return Resource{URL: s.URL, Range: s.Range}.Key() }

// ID is the external id of the segment: the number that peers of generation g
// use for it. V23 follows hls.js: the media sequence while live, the position
// for VOD, and the mixed numbering that p2p-media-loader-hlsjs 2.3.1 shows when a
// live playlist ends. V22 follows Shaka Player, whose plug-in numbers a film by
// position too: it looks for a map of media sequences that the player fills while
// live only. V3 counts by media sequence always. Segments of an MPD are named by their start: in half
// seconds, and in tenths of a second by V3.
func (s Segment) ID(g identity.Generation) int64 {
	if s.byTime {
		return s.ids.Of(g)
	}
	return s.Sequence + s.ids.Of(g)
}

// NextID is the id that peers of generation g will know the segment by that follows this one, as far as that can be told.
func (s Segment) NextID(g identity.Generation) int64 {
	if s.byTime {
		return s.following.Of(g)
	}
	return s.ID(g) + 1
}

// LastSequence is the media sequence number of the last segment, or one less
// than MediaSequence if there is none.
func (p *Playlist) LastSequence() int64 {
	if len(p.Segments) == 0 {
		return p.MediaSequence - 1
	}
	return p.Segments[len(p.Segments)-1].Sequence
}

// maxLiveDelay is the farthest from the live edge that the reference places a
// viewer. Source: p2p-media-loader-hlsjs 2.3.1.
const maxLiveDelay = 120 * time.Second

// Growing tells whether nothing has left a live playlist yet: the event has just begun, or it keeps all segments. How long
// the playlist will be is not known then.
func (p *Playlist) Growing() bool {
	if p.ByTime {
		return p.Live && !p.Ended && (len(p.Segments) == 0 || p.Segments[0].Start <= 0)
	}
	return p.Live && !p.Ended && p.MediaSequence == 0
}

// Room is how far behind the live edge a viewer can be placed and still find
// its segments: (entries − 1) × target duration. What peers can deliver is Room
// minus the viewers' high-demand window.
func (p *Playlist) Room() time.Duration {
	if p.ByTime {
		return max(0, p.Window-p.TargetDuration)
	}
	if p.Entries < 2 {
		return 0
	}
	return time.Duration(p.Entries-1) * p.TargetDuration
}

// LiveSyncSegments is the live delay in segments that uses this room: entries
// − 1, but at most 120 s. It is the value for hls.js's liveSyncDurationCount.
// Source: p2p-media-loader-hlsjs 2.3.1.
func (p *Playlist) LiveSyncSegments() int {
	if p.Entries < 2 || p.TargetDuration <= 0 {
		return 0
	}
	return min(p.Entries-1, int(maxLiveDelay/p.TargetDuration))
}
