package peers

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// What BenchmarkOneCopy measures: fifty viewers in groups, for a minute after the first one.
const (
	copyGroups  = 10
	copyViewers = 5 // in each group
	copySegment = 4 * time.Second
	copyJoin    = 2 * time.Second // between two viewers of a group: all come within ten seconds
	copyWarm    = time.Minute
	copyTime    = time.Minute
	copyReplace = 20 * time.Second // one group each: 30 % of the viewers in a minute
)

// BenchmarkOneCopy measures how many copies of a live stream of one rendition the origin gives to fifty viewers and their
// seeders together, which share of the viewers' bytes comes from peers, and how often a viewer stalls. The first minute, in
// which all join, is left out.
func BenchmarkOneCopy(b *testing.B) {
	for _, bb := range []struct {
		name    string
		seeders int
		replace bool
	}{{"seeders=0", 0, false}, {"seeders=1", 1, false}, {"seeders=2", 2, false}, {"seeders=2,replaced", 2, true}} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				measureCopies(b, bb.seeders, bb.replace)
			}
		})
	}
}

func measureCopies(b *testing.B, seeders int, replace bool) {
	s := inprocess.NewStream(b, "/live/seg_4/window_10/ren_1/master.m3u8")
	var running []*seeder.Server
	for range seeders {
		sd, _ := s.StartSeeder(b, func(c *seeder.Config) { c.MaxPeers = 200 })
		running = append(running, sd)
	}
	fetched := func() (n int64) {
		for _, sd := range running {
			n += sd.Engine().Counters().HTTP
		}
		return n
	}
	if seeders > 0 {
		s.AwaitSeeded(b)
	}
	var left viewer.Total // of viewers that have gone
	type group struct {
		server *viewer.Server
		stop   func()
	}
	start := func() group {
		v, stop := s.StartViewers(b, func(c *viewer.Config) {
			c.Verify, c.Count, c.JoinInterval = false, copyViewers, duration.Duration(copyJoin)
		})
		return group{v, stop}
	}
	groups := make([]group, copyGroups)
	for i := range groups {
		groups[i] = start()
	}
	var segments, segmentBytes int64
	sum := func() viewer.Total {
		t := left
		segments, segmentBytes = 0, 0
		for _, g := range groups {
			r := g.server.Snapshot()
			add(&t, r.Total)
			for _, v := range r.Viewers {
				segments += v.Segments
				segmentBytes += v.Bytes.HTTP + v.Bytes.Seeder + v.Bytes.Viewer - v.Discarded
			}
		}
		return t
	}
	time.Sleep(copyWarm)
	began, before, given := time.Now(), sum(), fetched()
	for next := 0; time.Since(began) < copyTime; next++ {
		time.Sleep(min(copyReplace, copyTime-time.Since(began)))
		if replace {
			g := &groups[next%copyGroups]
			add(&left, g.server.Snapshot().Total)
			g.stop()
			*g = start()
		}
	}
	after, elapsed := sum(), time.Since(began)
	bytes := after.Bytes
	bytes.HTTP -= before.Bytes.HTTP
	bytes.Seeder -= before.Bytes.Seeder
	bytes.Viewer -= before.Bytes.Viewer
	given = fetched() - given + bytes.HTTP
	all := bytes.HTTP + bytes.Seeder + bytes.Viewer
	// One copy is what one viewer receives in this time.
	copyBytes := float64(segmentBytes) / float64(segments) * float64(elapsed) / float64(copySegment)
	b.ReportMetric(float64(given)/copyBytes, "copies")
	b.ReportMetric(1-float64(bytes.HTTP)/float64(all), "offload")
	b.ReportMetric(float64(after.Stalls-before.Stalls), "stalls")
	b.ReportMetric(float64(after.OriginRequests-before.OriginRequests), "viewer-requests")
	for i, sd := range running {
		c := sd.Engine().Counters()
		b.Logf("seeder %d: %d segments, %d requests to the origin, %d connections", i, c.Segments, c.OriginRequests, sd.Engine().Peers())
	}
	for _, g := range groups {
		g.stop()
	}
}

func add(t *viewer.Total, o viewer.Total) {
	t.Bytes.HTTP += o.Bytes.HTTP
	t.Bytes.Seeder += o.Bytes.Seeder
	t.Bytes.Viewer += o.Bytes.Viewer
	t.OriginRequests += o.OriginRequests
	t.Stalls += o.Stalls
}
