package settings

import (
	"math"
	"time"
)

// How these numbers act, in p2p-media-loader 2.3.1 (hybrid-loader.ts, utils/queue.ts, utils/stream.ts):
//
//   - A segment that starts inside highDemandTimeWindow is fetched over HTTP at once, and a running download of it
//     from a peer is aborted for that. The window is therefore the lead that HTTP gets when peers fail, and the time
//     that is taken away from peers.
//   - Outside it segments come from peers, or at random over HTTP inside httpDownloadTimeWindow, but only those that
//     no connected peer has or is fetching.
//   - The queue ends at the first segment that is in no window.
//   - httpDownloadInitialTimeoutMs forbids HTTP from the first request on; when it ends, high-demand segments that
//     are still on their way from a peer go on over HTTP.
const (
	// minHighDemand is the shortest lead that HTTP gets. A request takes some round trips and a part of the segment's own
	// duration on a link that carries the bitrate; below 3 s a short disturbance becomes a stall.
	minHighDemand = 3.0
	// defaultHighDemand is the library's default window, used while nothing is known about the stream.
	defaultHighDemand = 15.0
	// ofTarget keeps the window below one target duration: the segment being played and the one after it never stand
	// in the window together at the start, so only one segment can go to HTTP when the wait ends. The rest of the
	// target duration is what a page that changes quality has to meet the peers of the new rendition, which takes
	// 250 ms on a quiet machine: with 0.9 the first change, right after the first frame, cost one HTTP segment.
	// In live, hls.js may ask for the segment that is being played once more in the new rendition, which no window can
	// keep from HTTP, only a wait: see docs/architecture.md, "The settings are the product".
	ofTarget = 0.75

	// noPeerWait: a nearby seeder is connected 225 to 310 ms after the page asks to play, and a viewer whose network
	// drops UDP must not show its first frame more than 400 ms later than without P2P. In an office behind a 20 Mbit/s
	// line it loses 40 ms more than the wait (medians of five: 146 and 574 ms with a wait of 390).
	noPeerWait = 340
	// firstPeerWait is for pages with the script that find out that UDP passes: on a slow machine a seeder is connected after 400
	// to 900 ms.
	firstPeerWait = 2 * noPeerWait
	// startWait is for pages of the SDK outside of sites. Their first picture comes at most 400 ms later than without P2P,
	// loading the engine included, and the first segment is one request more to the origin. The next one waits for peers
	// while it plays. In a site that request is one more copy on a thin line.
	startWait = noPeerWait
	// peerWait applies once a seeder has connected: a segment of 2.5 MB takes 1 s at 20 Mbit/s. The reporter script ends
	// the wait early when no bytes arrive.
	peerWait = 1500
	// candidatePool lets the browser gather candidates while the page's thread is busy making the offer. Firefox ignores it.
	candidatePool = 1
	// transferTime is how long a segment takes from a seeder while a neighbor downloads it too.
	transferTime = 2.0

	// heldAhead bounds what a viewer downloads from seeders ahead of the playhead. Downloading all of a long film at once
	// would waste uplink on viewers who leave early; a minute and a half outlasts the restart of a seeder.
	heldAhead = 90.0
	// vodAhead bounds how far ahead viewers without seeders fetch a film over HTTP for each other.
	vodAhead = 120.0
	// liveDepth is how far behind the edge viewers without seeders play. The library's own limit is 120 s; half of it
	// is room enough to spread the fetches and less delay.
	liveDepth = 60.0

	// An origin that fails usually recovers soon, and until then peers share what they hold. By default hls.js requests a
	// playlist three times and then stops for good; with these it retries for ten minutes, every 4 s at most.
	playlistRetries    = 150
	playlistRetryMs    = 500
	playlistMaxRetryMs = 4000
)

// For computes the settings of one viewer.
func For(in Input) Settings {
	s := Settings{Core: Core{
		IsP2PUploadDisabled: in.UploadOff,
		// The library's defaults. One HTTP slot would save a little at the start, but halves what a viewer without peers
		// gets on a long path, and the window already keeps the second segment from HTTP.
		SimultaneousHTTPDownloads: 2, SimultaneousP2PDownloads: 3,
		RTCConfig: RTCConfig{ICEServers: []ICEServer{}, ICECandidatePoolSize: candidatePool},
	}}
	s.HLSJS.PlaylistLoadPolicy.Default = patientLoadPolicy()
	in.P2POff = in.P2POff || in.MainOff && in.SecondaryOff
	s.Core.IsP2PDisabled = in.P2POff
	if !in.P2POff {
		s.Core.MainStream, s.Core.SecondaryStream = disabled(in.MainOff), disabled(in.SecondaryOff)
	}
	if !in.P2POff && !in.MainOff && in.Playlist.Known() && in.UDP != UDPBlocked {
		// Seeders come and go while a page plays for hours; the script follows them.
		with, without := windowsWithSeeders(in.Playlist), withoutSeeders(in.Playlist)
		s.Runtime.WithSeeders, s.Runtime.WithoutSeeders = &with, &without
	}
	switch {
	case in.P2POff || in.MainOff || !in.Playlist.Known():
		// Nothing can be promised of a stream that has not been read: the library's defaults, and no waiting. Where only
		// audio is shared, the player keeps its own buffer: the loader does not fetch video ahead for it.
		s.Core.Windows = Windows{HighDemand: defaultHighDemand, HTTP: 3000, P2P: 6000}
	case in.UDP == UDPBlocked:
		// No peer will ever come: play as without P2P, but from where the others play.
		s.Core.Windows = Windows{HighDemand: defaultHighDemand, HTTP: 3000, P2P: 6000}
		setStartAndBuffer(&s, in.Playlist, in.SeedersHold, defaultHighDemand)
	case in.SeedersHold:
		withSeeders(&s, in)
	default:
		s.Core.Windows = withoutSeeders(in.Playlist)
		setStartAndBuffer(&s, in.Playlist, false, s.Core.HighDemand)
	}
	return s
}

func disabled(off bool) *StreamOptions {
	if !off {
		return nil
	}
	return &StreamOptions{IsP2PDisabled: true}
}

// withSeeders delays HTTP, because seeders hold the segments that viewers will request.
func withSeeders(s *Settings, in Input) {
	p := in.Playlist
	s.Core.Windows = windowsWithSeeders(p)
	s.Core.HTTPDownloadInitialTimeoutMs = noPeerWait
	s.Runtime.NoPeerMs, s.Runtime.FirstPeerMs, s.Runtime.PeerMs = noPeerWait, firstPeerWait, peerWait
	if !in.InSite {
		s.Runtime.StartMs = startWait
	}
	if in.UDP == UDPWorks {
		s.Runtime.FirstPeerMs = 0
		s.Core.HTTPDownloadInitialTimeoutMs = peerWait
		s.Runtime.NoPeerMs = peerWait
	}
	setStartAndBuffer(s, p, true, s.Core.HighDemand)
	// hls.js would fetch the first segment of one rendition as a test and then start again in another: a second swarm to
	// join, and a first frame half a second later. The bandwidth estimate is updated by the first segments anyway.
	no := false
	s.HLSJS.TestBandwidth = &no
}

// patientLoadPolicy has the timeouts of hls.js's default, and retries for longer.
func patientLoadPolicy() LoadPolicy {
	retry := RetryPolicy{
		MaxNumRetry: playlistRetries, RetryDelayMs: playlistRetryMs, MaxRetryDelayMs: playlistMaxRetryMs, Backoff: "linear",
	}
	return LoadPolicy{MaxTimeToFirstByteMs: 10_000, MaxLoadTimeMs: 20_000, TimeoutRetry: retry, ErrorRetry: retry}
}

func windowsWithSeeders(p Playlist) Windows {
	high := highDemandWithSeeders(p)
	// No HTTP beyond the high-demand window: a seeder will hold the segments that viewers would prefetch at random.
	return Windows{HighDemand: high, HTTP: high, P2P: heldAhead}
}

// withoutSeeders returns windows for viewers that only have each other: one for HTTP that is wide enough to be safe, the
// rest for peers, and random prefetching over the whole playlist, which brings each segment into the swarm about once.
func withoutSeeders(p Playlist) Windows {
	target := p.TargetDuration.Seconds()
	w := Windows{HighDemand: min(max(2*target, 6), defaultHighDemand), HTTP: 3000, P2P: 6000}
	if !p.Live {
		// HTTP fetches two minutes ahead for the swarm; peers deliver segments further ahead.
		w.HTTP, w.P2P = vodAhead, 2*vodAhead
		return w
	}
	// On a short playlist the window must leave a target duration of room for peers, or nothing is shared at all.
	room := (float64(depthWithoutSeeders(p)) - 1) * target
	w.HighDemand = math.Max(math.Min(w.HighDemand, room-target), minHighDemand)
	return w
}

// setStartAndBuffer sets where a player starts and how much it buffers by itself.
func setStartAndBuffer(s *Settings, p Playlist, seeders bool, high float64) {
	target := p.TargetDuration.Seconds()
	// As the hls.js engine does for playlists of more than four segments: the player itself buffers little, and the
	// loader fetches ahead. Set here so that it applies to shorter playlists too.
	buffer := math.Max(2*target, high)
	s.HLSJS.MaxBufferLength, s.HLSJS.MaxMaxBufferLength = buffer, buffer
	// Shaka's loader fetches what Shaka asks for and what is in the windows; its own goal only has to cover the HTTP
	// lead.
	s.Shaka.Streaming = ShakaStreaming{BufferingGoal: buffer}
	if !p.Live {
		return
	}
	count := depthWithoutSeeders(p)
	if seeders {
		count = depthWithSeeders(p)
	}
	// Pinned, because hls.js often starts three target durations from the edge before the engine has moved the start
	// back: such a page gets nothing from peers.
	s.HLSJS.LiveSyncDurationCount = count
	s.Shaka.Manifest.DefaultPresentationDelay = float64(count) * target
	s.Shaka.Manifest.DASH.IgnoreSuggestedDelay = true // all viewers play at one distance, whichever player they have
}

// depthWithSeeders returns the distance from the edge in target durations: a player sees a segment up to one target
// duration after it was published, the newest segment itself is another one, and the time to transfer it and the lead
// of HTTP are added.
func depthWithSeeders(p Playlist) int {
	target := p.TargetDuration.Seconds()
	need := 2*target + math.Max(minHighDemand, ofTarget*target) + transferTime
	return clampDepth(int(math.Ceil(need/target)), p)
}

// depthWithoutSeeders returns as much distance as the playlist allows: viewers need time to spread their fetches.
func depthWithoutSeeders(p Playlist) int {
	return clampDepth(int(liveDepth/p.TargetDuration.Seconds()), p)
}

// expectedSegments is how long a playlist that has just begun is expected to become at least: long enough for players to
// stay three target durations behind the edge (RFC 8216 §6.3.3).
const expectedSegments = 5

// clampDepth keeps the start inside the playlist. It avoids the oldest segment if possible, because that may be gone by
// the time it is requested; below three target durations players rebuffer (RFC 8216 §6.3.3).
func clampDepth(count int, p Playlist) int {
	segments := p.Segments
	if p.Growing {
		segments = max(segments, expectedSegments) // a page that loads as an event begins keeps these settings
	}
	most := segments - 2
	if most < 3 {
		most = segments - 1
	}
	return max(1, min(max(count, 3), most))
}

// highDemandWithSeeders returns just under one target duration, less where a short playlist leaves peers no time, but
// never less than minHighDemand.
func highDemandWithSeeders(p Playlist) float64 {
	target := p.TargetDuration.Seconds()
	high := ofTarget * target
	if p.Live {
		high = math.Min(high, float64(depthWithSeeders(p)-2)*target-transferTime)
	}
	return round(math.Max(high, minHighDemand))
}

func round(seconds float64) float64 { return math.Round(seconds*100) / 100 }

// Latency returns how far behind the edge a viewer with these settings plays; zero for VOD.
func (s Settings) Latency(p Playlist) time.Duration {
	return time.Duration(s.HLSJS.LiveSyncDurationCount) * p.TargetDuration
}
