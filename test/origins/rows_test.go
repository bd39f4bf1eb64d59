package origins

import (
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// row is one kind of origin.
type row struct {
	name string
	// path is the stream's path at the origin; live ones begin age seconds before the test, at START.
	path string
	age  int64
	// manifest is the name of the manifest; master.m3u8 if it is empty.
	manifest string
	// join is the second after START from which viewers join; 0: once the seeder holds the stream.
	join int64
	// play is how much media each viewer plays; least if it is 0.
	play time.Duration
	// reason is why the stream is not shared; empty if it is.
	reason string
	// track is the kind of track that is not shared: "mainStream" or "secondaryStream"; empty: all of the stream.
	track string
	// alone: browsers share nothing of it, but P2P stays on, because other players do.
	alone bool
	// part: the seeder's store is smaller than the stream.
	part bool
	// offload is the least share of bytes from peers; leastOffload if it is 0.
	offload float64
	// fetches is how many segments the seeder may ask the origin for at most after so many seconds; nil: any number.
	fetches func(seconds int64) int64
	// refused is how many requests the origin may have to refuse; -1: any number.
	refused int64

	// headers are what the seeder sends with each request.
	headers map[string]string

	tracker func(*tracker.Config)
	seeder  func(*seeder.Config)
	viewer  func(*viewer.Config)
}

const (
	least        = 6 * time.Second
	leastOffload = 0.8
)

// once allows one fetch for each segment of a window and for each new one.
func once(window, segment int64) func(int64) int64 {
	return func(seconds int64) int64 { return window + seconds/segment + 3 }
}

// noSwarmID leaves it to the programs to name the swarm.
func noSwarmID(r row) row {
	r.tracker = func(c *tracker.Config) { c.Stream.SwarmID = "" }
	r.seeder = func(c *seeder.Config) { c.SwarmID = "" }
	return r
}

// signedPath tells tracker and seeder where the signature is. Viewers learn it from the tracker.
func signedPath(r row) row {
	patterns := []string{"/live/*/*/*/*/*/pass_*/"}
	r.tracker = func(c *tracker.Config) { c.Stream.SignedPaths = patterns }
	r.seeder = func(c *seeder.Config) { c.SignedPaths = patterns }
	return r
}

func watch(renditions ...string) func(*viewer.Config) {
	return func(c *viewer.Config) { c.Renditions = renditions }
}

// cache bounds what a seeder holds.
func cache(bytes int64) func(*seeder.Config) { return func(c *seeder.Config) { c.CacheBytes = bytes } }

// busy is a path that is busy for six seconds from ten seconds after the test began on.
func busy(now time.Time) string {
	from := (now.Unix() + 10) % 60
	if from > 53 {
		from = 53 // within one minute: the origin may be busy a little sooner
	}
	return fmt.Sprintf("busy_%d_%d", from, from+6)
}

const mpd = "manifest.mpd"

const live = "/live/seg_2/window_10/ren_1/start_START/"

// rows are the kinds. BUSY stands for what busy says.
var rows = []row{
	{name: "plain live", path: live, age: 60, fetches: once(10, 2)},
	{name: "plain VOD", path: "/vod/seg_2/dur_60/ren_1/", fetches: once(30, 60)},

	// A new event under an old URL. A probe may ask for segments of the event that is ending.
	{name: "event ends, new names", path: live + "event_14_4/newnames/", age: 8, join: 22, refused: 2},
	{name: "event ends, same names", path: live + "event_14_4/", age: 8, join: 22, refused: 2},
	// The viewers stay: they play the 14 s of the first event, and go on with the second.
	{name: "event ends and begins anew while it is watched", path: live + "event_14_4/", age: 8, play: 18 * time.Second, refused: -1},
	{name: "event is gone for a while", path: live + "event_14_6/gone/", age: 8, join: 24, refused: -1},
	{name: "event begins anew without an end", path: live + "event_14_0/", age: 8, join: 20, refused: 2},

	// URLs that expire.
	{name: "variants expire", path: "/live/seg_2/window_5/ren_1/start_START/expire_6/", age: 60, play: 14 * time.Second, refused: -1},
	{name: "segments are signed", path: live + "signed_6/", age: 60, fetches: once(10, 2), play: 10 * time.Second},
	signedPath(row{name: "segments are signed in the path", path: live + "passes_6/", age: 60, fetches: once(10, 2), play: 10 * time.Second}),
	// The seeder holds a few segments only, and fetches the others when their signatures have expired.
	{name: "VOD is signed", path: "/vod/seg_2/dur_60/ren_1/signed_5/", seeder: cache(300 << 10), part: true, play: 14 * time.Second, refused: -1},

	// What the multivariant playlist names.
	{name: "variant comes late", path: "/live/seg_2/window_10/ren_2/start_START/late_66/", age: 60, join: 70},
	{name: "two audio groups with one identity", path: "/live/seg_2/window_10/ren_2/start_START/twins/", age: 60,
		reason: "SameIdentity", track: "secondaryStream", viewer: watch("all")},
	{name: "two cameras with one identity", path: live + "cameras/", age: 60, reason: "SameIdentity", track: "mainStream", viewer: watch("all")},
	{name: "a backup of equal bytes", path: live + "backup/", age: 60},

	// Different for each session.
	{name: "advertisements for each session", path: live + "ads/", age: 60, reason: "DifferentPerSession"},
	{name: "watermark by URL", path: live + "watermark/", age: 60, reason: "DifferentPerSession"},
	{name: "watermark by cookie", path: live + "cookie/watermark/", age: 60, reason: "DifferentPerSession"},
	{name: "other media for seeders", path: live + "agents/", age: 60, reason: "DifferentPerClient", headers: map[string]string{"User-Agent": "edge"}},
	{name: "playlist redirected to a session", path: live + "sessions/", age: 60, reason: "MediaPlaylistRedirected", alone: true},
	noSwarmID(row{name: "master redirected to an edge", path: live + "edges/", age: 60}),

	// Manners.
	// The tracker asks without the cookie, to know whether it is needed: with its first probe, and with that for the hashes.
	{name: "cookie", path: live + "cookie/", age: 60, refused: 2},
	{name: "busy, with Retry-After", path: live + "BUSY/", age: 60, play: 12 * time.Second, offload: 0.5, refused: 12},

	// Playlists whose newest state is never told to who asks conditionally.
	{name: "304 for ever", path: live + "notmodified/", age: 60, play: 12 * time.Second, offload: 0.5, fetches: once(10, 2)},
	{name: "one ETag", path: live + "onetag/", age: 60, play: 12 * time.Second, offload: 0.5, fetches: once(10, 2)},

	// How bytes travel.
	{name: "segments are compressed", path: live + "gzip/", age: 60, reason: "SegmentsEncoded"},
	{name: "segments without length", path: live + "nolength/", age: 60},
	{name: "chunked segments", path: live + "chunked/", age: 60},
	{name: "ranges are ignored", path: "/vod/seg_2/dur_20/ren_1/byterange/norange/", reason: "RangesIgnored"},

	// Low latency.
	{name: "parts in one playlist", path: "/live/seg_2/window_10/ren_2/start_START/parts/", age: 60, reason: "LowLatencyPartsOnly"},
	{name: "delta updates", path: live + "canskip/", age: 60, reason: "DeltaUpdates"},
	{name: "blocking reload", path: live + "canblock/", age: 60, reason: "BlockingReload"},

	// Long playlists, and names that come again.
	{name: "history of six hours", path: "/live/seg_2/ren_1/start_START/dvr/", age: 6 * 3600, seeder: cache(1 << 20), fetches: once(45, 2)},
	{name: "history of a day", path: "/live/seg_3/ren_1/start_START/dvr/", age: 24 * 3600, seeder: cache(1 << 20), fetches: once(45, 3)},
	{name: "film in a loop", path: "/live/seg_2/window_6/ren_1/start_START/loop_9/", age: 60, fetches: once(6, 2)},
	{name: "film in a loop, as long as the playlist", path: "/live/seg_2/window_6/ren_1/start_START/loop_6/", age: 60, fetches: once(6, 2)},
	// A shorter ring overwrites what is still listed: what the origin has under a name then is not what was listed.
	{name: "ring of file names", path: "/live/seg_2/window_6/ren_1/start_START/wrap_8/", age: 60, fetches: once(6, 2)},

	{name: "slate", path: "/live/seg_2/window_6/ren_1/start_START/slate_4/", age: 78, play: 14 * time.Second, fetches: once(6, 2)},

	// MPEG-DASH.
	{name: "DASH live", path: live, manifest: mpd, age: 60, fetches: once(10, 2)},
	{name: "DASH event ends and begins anew while it is watched", path: live + "event_14_4/", manifest: mpd, age: 8, play: 18 * time.Second, refused: -1},
	{name: "DASH segments are signed", path: live + "signed_6/", manifest: mpd, age: 60, fetches: once(10, 2), play: 10 * time.Second},
	{name: "DASH timeline", path: live + "timeline/", manifest: mpd, age: 60, reason: "TimelineAddressing", alone: true},
	{name: "DASH watermark by URL", path: live + "watermark/", manifest: mpd, age: 60, reason: "DifferentPerSession"},

	// Tolerance.
	{name: "negative durations", path: live + "negative/", age: 60, reason: "UnusualDuration", track: "mainStream"},
	{name: "edges that lag", path: live + "stale_2/", age: 60},
}
