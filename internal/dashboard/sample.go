package dashboard

import (
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// SampleOf makes a sample of what a tracker tells. elapsed is the time since the one before.
func SampleOf(s stats.Stats, elapsed time.Duration) history.Sample {
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
