package peers

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	seederconfig "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// sitePath is a live stream of one rendition; its players stay 10 s behind the edge.
const sitePath = "/live/seg_2/window_10/ren_1/master.m3u8"

// TestASiteTakesOneCopy has ten viewers of one site share each new segment. They come at once, load their playlists at the same
// moment, and would all ask the seeder then. BenchmarkCopiesOfASite has more viewers, and compares. The ten start within ten
// milliseconds, which takes every processor, so nothing runs beside them.
func TestASiteTakesOneCopy(t *testing.T) {
	const most = 1.3
	if copies := copiesOfASite(t, seederconfig.SuperSeedingAlways, 10, time.Millisecond); copies > most {
		t.Errorf("%.2f copies of a segment, want at most %.1f", copies, most)
	}
}

// copiesOfASite plays a stream to viewers of one site, and returns how often its seeder sent each new segment.
func copiesOfASite(t testing.TB, mode seederconfig.SuperSeeding, viewers int, apart time.Duration) float64 {
	t.Helper()
	s := inprocess.NewStream(t, sitePath)
	sd, _ := s.StartSeeder(t, func(c *seederconfig.Config) { c.SuperSeeding = mode })
	s.AwaitSeeded(t)
	v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count, c.JoinInterval = viewers, duration.Duration(apart) })
	defer stop()
	inprocess.AwaitPlayed(t, 8*time.Second, v)
	before, first := sd.Engine().Counters(), v.Snapshot().Total.Bytes.HTTP
	r := inprocess.AwaitPlayed(t, 26*time.Second, v)
	after := sd.Engine().Counters()
	copies := float64(after.Uploaded-before.Uploaded) / float64(after.HTTP-before.HTTP)
	t.Logf("%.2f copies of a segment in the steady state, %.2f MB sent in all, HTTP %d bytes at the start", copies, float64(after.Uploaded)/1e6, first)
	checkClean(t, r)
	if http := r.Total.Bytes.HTTP - first; http != 0 {
		t.Errorf("%d bytes over HTTP", http)
	}
	return copies
}

// BenchmarkCopiesOfASite reports the copies of a segment that a seeder sends to a site, with and without super-seeding.
func BenchmarkCopiesOfASite(b *testing.B) {
	for _, viewers := range []int{10, 30} {
		for _, apart := range []time.Duration{time.Millisecond, 50 * time.Millisecond} {
			for _, mode := range []seederconfig.SuperSeeding{seederconfig.SuperSeedingOff, seederconfig.SuperSeedingAlways} {
				b.Run(fmt.Sprintf("%d viewers %v apart/%s", viewers, apart, mode), func(b *testing.B) {
					for range b.N {
						b.ReportMetric(copiesOfASite(b, mode, viewers, apart), "copies")
					}
				})
			}
		}
	}
}
