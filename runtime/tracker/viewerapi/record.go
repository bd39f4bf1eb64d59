package viewerapi

import (
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// past is what the dashboard shows of the last day.
type past struct {
	mu   sync.Mutex
	ring *history.Ring
	last time.Time // of the sample before
}

func (p *past) seconds() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ring.Reach().Seconds()
}

func (p *past) names() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return float64(p.ring.Names())
}

// Record takes a sample for the dashboard. It is to be called every history.FineStep.
func (h *Handler) Record() {
	now := h.Stats()
	h.past.mu.Lock()
	defer h.past.mu.Unlock()
	elapsed := time.Duration(0)
	if !h.past.last.IsZero() {
		elapsed = now.Now.Sub(h.past.last)
	}
	h.past.last = now.Now
	h.past.ring.Add(sampleOf(now, elapsed))
}

// Recorded returns the time of the last sample; zero: there is none.
func (h *Handler) Recorded() time.Time {
	h.past.mu.Lock()
	defer h.past.mu.Unlock()
	return h.past.last
}

// sampleOf makes a sample of statistics. elapsed is the time since the one before.
func sampleOf(s Stats, elapsed time.Duration) history.Sample {
	o := s.Offload
	out := history.Sample{At: s.Now, Viewers: float64(s.Viewers), Seeders: float64(s.Seeders),
		Counters: history.Counters{HTTP: o.Totals.HTTP, Seeder: o.Totals.Seeder, Viewer: o.Totals.Viewer, Uploaded: o.Totals.Uploaded,
			SeederHTTP: o.SeederTotals.HTTP, Stalls: o.Stalls, StallMs: o.StallMs}}
	if o.RecentWaits != nil {
		out.StartupP50, _ = o.RecentWaits.Startup.Percentile(.5)
		out.StartupP95, _ = o.RecentWaits.Startup.Percentile(.95)
		out.StallP95, _ = o.RecentWaits.Stall.Percentile(.95)
	}
	for _, site := range s.Sites {
		out.Sites = append(out.Sites, sitePart(site, elapsed.Seconds(), o.WindowSeconds))
	}
	for _, r := range s.Renditions {
		out.Renditions = append(out.Renditions, history.Part{Name: r.Name, Viewers: float64(r.Watching())})
	}
	return out
}

// stay is how long bytes are in the sum of a window, on average, as a part of the window. They come at any time of the first of
// its twelve buckets, and leave together.
const stay = 23. / 24

// sitePart says what came to a site. A tracker knows the sums of a window, which is longer than the time between two samples: of
// each window a sample gets its part. So the bytes of a long time are right, and those of a moment are as smooth as the window is
// long.
func sitePart(s stats.Site, elapsed, window float64) history.Part {
	outside := s.Window.Outside() + s.Seeders.Outside()
	out := history.Part{Name: s.Name, Viewers: float64(s.Viewers)}
	if s.Name == telemetry.OtherSite {
		out.Name = history.Other
	}
	if window <= 0 {
		return out
	}
	share := min(1, elapsed/(stay*window))
	out.Line, out.Received = float64(outside)*share, float64(s.Window.Received())*share
	if s.Copies != nil { // it is one place, whose viewers are to share
		out.OneCopy = float64(s.OneCopyBytes) * share
	}
	return out
}
