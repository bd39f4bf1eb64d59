package peers

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	seederconfig "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// sitePath is a live stream of one rendition; its players stay 10 s behind the edge.
const sitePath = "/live/seg_2/window_10/ren_1/master.m3u8"

// TestASiteTakesOneCopy has ten viewers of one site share each new segment. They come at once, load their playlists at the same
// moment, and would all ask the seeder then. BenchmarkCopiesOfASite has more viewers, and compares.
func TestASiteTakesOneCopy(t *testing.T) {
	t.Parallel()
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

// TestAChosenViewerFails ends or freezes the viewer that is getting a segment from the seeder, again and again.
func TestAChosenViewerFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fail  func(*program.Process)
		times int
		every int // segments
	}{
		"killed": {(*program.Process).Kill, 5, 2},
		"frozen": {freeze, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stream.Start(t, stream.Options{Path: sitePath, Seeder: func(c *seederconfig.Config) {
				c.SuperSeeding, c.UplinkBps = seederconfig.SuperSeedingAlways, 4_000_000 // a transfer takes long enough to be interrupted
			}})
			a := &audience{stream: s}
			for range 10 {
				a.join(t)
			}
			a.awaitSegments(t, 5)
			before := s.Seeder.Metrics(t)
			for range tt.times {
				tt.fail(a.receiving(t))
				a.join(t)
				a.awaitSegments(t, tt.every)
			}
			a.awaitSegments(t, 2)
			after := s.Seeder.Metrics(t)
			grown := func(name string) float64 { return after.Sum(name) - before.Sum(name) }
			t.Logf("%.2f copies of a segment", grown("p2pstream_seeder_uploaded_bytes_total")/grown("p2pstream_seeder_origin_bytes_total"))
			a.leave(t)
		})
	}
}

// freeze stops a program without ending it: it stays connected and does nothing.
func freeze(p *program.Process) { _ = syscall.Kill(p.PID(), syscall.SIGSTOP) }

// audience is viewers in processes of their own.
type audience struct {
	stream  *stream.Stream
	viewers []*program.Process
}

func (a *audience) join(t *testing.T) {
	t.Helper()
	admin := lab.FreeAddress(t)
	p := lab.Must[*program.Process](t)(program.Launch(t.Context(), program.Spec{
		Command: "viewer", Admin: admin, Dir: t.TempDir(), Ready: "http://" + admin + "/healthz",
		Config: viewer.Config{ConfigURL: a.stream.HTTP("/v1/config"), Loopback: true, StartupWait: duration.Duration(5 * time.Second)},
		Args:   []string{"--headless", "--json", "--admin-listen", admin},
	}))
	t.Cleanup(p.Kill)
	a.viewers = append(a.viewers, p)
}

// awaitSegments waits until the seeder holds so many new segments.
func (a *audience) awaitSegments(t *testing.T, n int) {
	t.Helper()
	edge := func() float64 { return a.stream.Seeder.Metrics(t).Sum("p2pstream_seeder_held_edge") }
	until := edge() + float64(n)
	lab.Eventually(t, time.Minute, "new segments", func() bool { return edge() >= until })
}

// receiving waits until a viewer gets bytes from the seeder, and takes it out of the audience.
func (a *audience) receiving(t *testing.T) (chosen *program.Process) {
	t.Helper()
	read := func(p *program.Process) float64 {
		return p.Metrics(t).Sum("p2pstream_viewer_received_bytes_total", `source="seeder"`)
	}
	last := map[*program.Process]float64{}
	for _, p := range a.viewers {
		last[p] = read(p)
	}
	lab.Eventually(t, 20*time.Second, "a viewer to get a segment from the seeder", func() bool {
		for i, p := range a.viewers {
			if read(p) > last[p] {
				chosen = p
				a.viewers = append(a.viewers[:i:i], a.viewers[i+1:]...)
				return true
			}
		}
		return false
	})
	return chosen
}

// leave ends the viewers, and requires that none of them stalled.
func (a *audience) leave(t *testing.T) {
	t.Helper()
	for _, p := range a.viewers {
		p.Stop(t)
		var r viewer.Report
		if err := json.Unmarshal(p.Output(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Total.Stalls != 0 {
			t.Errorf("%d stalls: %s", r.Total.Stalls, p.Output())
		}
		t.Logf("bytes %+v", r.Total.Bytes)
	}
}
