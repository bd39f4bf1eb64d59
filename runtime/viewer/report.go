package viewer

import (
	"math"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Report is what headless viewers print at the end, as JSON.
type Report struct {
	Viewers  []Result `json:"viewers"`
	Total    Total    `json:"total"`
	Duration float64  `json:"duration"` // seconds
}

// Result is what one viewer measured.
type Result struct {
	ID           int   `json:"id"`
	StartupMs    int64 `json:"startupMs"` // from the start to the first picture; -1 if it never came
	Stalls       int   `json:"stalls"`
	StallMs      int64 `json:"stallMs"`
	PlayedMs     int64 `json:"playedMs"`
	Segments     int64 `json:"segments"`
	Bytes        Bytes `json:"bytes"`
	UploadBytes  int64 `json:"uploadBytes"`
	Discarded    int64 `json:"discardedBytes"`
	Peers        int   `json:"peers"`
	Verified     int64 `json:"verified"`
	DigestErrors int64 `json:"digestErrors"`
	// RightSegments and WrongSegments are those from peers that were compared with the hashes of seeders. UnprovenSegments
	// had no hash in time. Wrong and unproven ones were dropped and fetched again.
	RightSegments    int64 `json:"rightSegments"`
	WrongSegments    int64 `json:"wrongSegments"`
	UnprovenSegments int64 `json:"unprovenSegments"`
}

// Bytes are media bytes received, by source.
type Bytes struct {
	HTTP   int64 `json:"http"`
	Seeder int64 `json:"seeder"`
	Viewer int64 `json:"viewer"`
}

// Total is the sum over all viewers.
type Total struct {
	Bytes          Bytes   `json:"bytes"`
	Offload        float64 `json:"offload"` // share of the bytes that came from peers, 0 to 1
	OriginRequests int64   `json:"originRequests"`
	// Copies is how many copies of what is played the origin gave to all viewers: its bytes divided by the most that one viewer
	// received; 0 before any did. Viewers of different renditions do not share, so their copies add up.
	Copies        float64 `json:"copies"`
	Stalls        int     `json:"stalls"`
	DigestErrors  int64   `json:"digestErrors"`
	UploadBytes   int64   `json:"uploadBytes"`
	WrongSegments int64   `json:"wrongSegments"`
}

// Snapshot is the report as of now.
func (s *Server) Snapshot() Report {
	s.mu.Lock()
	viewers, started := append([]*viewer(nil), s.viewers...), s.started
	s.mu.Unlock()
	out := Report{Viewers: make([]Result, 0, len(viewers)), Duration: math.Round(time.Since(started).Seconds()*10) / 10}
	var total traffic.Counters
	for _, v := range viewers {
		r, c := v.report()
		out.Viewers = append(out.Viewers, r)
		out.Total.Stalls += r.Stalls
		total = total.Add(c)
	}
	out.Total.Bytes = Bytes{HTTP: total.HTTP, Seeder: total.Seeder, Viewer: total.Viewer}
	out.Total.Copies = copies(out.Viewers)
	out.Total.Offload = math.Round(total.Offload()*10000) / 10000
	out.Total.OriginRequests, out.Total.DigestErrors, out.Total.UploadBytes = total.OriginRequests, total.DigestErrors, total.Uploaded
	out.Total.WrongSegments = total.Checks.Wrong
	return out
}

// copies is how many copies the origin gave to viewers together.
func copies(viewers []Result) float64 {
	var http, one int64
	for _, v := range viewers {
		http += v.Bytes.HTTP
		one = max(one, v.Bytes.HTTP+v.Bytes.Seeder+v.Bytes.Viewer-v.Discarded)
	}
	if one == 0 {
		return 0
	}
	return math.Round(float64(http)/float64(one)*1000) / 1000
}

func (v *viewer) report() (Result, traffic.Counters) {
	engine := v.Engine()
	if engine == nil {
		return Result{ID: v.id, StartupMs: -1}, traffic.Counters{}
	}
	c, p := engine.Counters(), engine.Playback()
	r := Result{
		ID: v.id, StartupMs: -1, Stalls: p.Stalls, StallMs: p.Stalled.Milliseconds(), PlayedMs: p.Played.Milliseconds(),
		Segments: c.Segments, Bytes: Bytes{HTTP: c.HTTP, Seeder: c.Seeder, Viewer: c.Viewer}, UploadBytes: c.Uploaded,
		Discarded: c.Discarded, Peers: engine.Peers(), Verified: c.Verified, DigestErrors: c.DigestErrors,
		RightSegments: c.Checks.Right, WrongSegments: c.Checks.Wrong, UnprovenSegments: c.Checks.Unproven,
	}
	if p.Started {
		r.StartupMs = p.Startup.Milliseconds()
	}
	return r, c
}
