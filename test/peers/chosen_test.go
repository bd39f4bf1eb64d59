package peers

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	seederconfig "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// TestAChosenViewerIsKilled ends the viewer that is getting a segment from the seeder, again and again. This test and the
// next take longest, so they are in the file whose tests start first.
func TestAChosenViewerIsKilled(t *testing.T) {
	t.Parallel()
	chosenViewersFail(t, (*program.Process).Kill, 5, 2)
}

// TestAChosenViewerFreezes stops such a viewer without ending it.
func TestAChosenViewerFreezes(t *testing.T) {
	t.Parallel()
	chosenViewersFail(t, freeze, 3, 4)
}

// chosenViewersFail lets the viewer that is getting a segment fail so many times, each after so many further segments, and
// requires that no other viewer stalls.
func chosenViewersFail(t *testing.T, fail func(*program.Process), times, segments int) {
	t.Helper()
	s := stream.Start(t, stream.Options{Path: sitePath, Seeder: func(c *seederconfig.Config) {
		c.SuperSeeding, c.UplinkBps = seederconfig.SuperSeedingAlways, 4_000_000 // a transfer takes long enough to be interrupted
	}})
	a := &audience{stream: s}
	for range 10 {
		a.join(t)
	}
	a.awaitSegments(t, 5)
	before := s.Seeder.Metrics(t)
	for range times {
		fail(a.receiving(t))
		a.join(t)
		a.awaitSegments(t, segments)
	}
	a.awaitSegments(t, 2)
	after := s.Seeder.Metrics(t)
	grown := func(name string) float64 { return after.Sum(name) - before.Sum(name) }
	t.Logf("%.2f copies of a segment", grown("p2pstream_seeder_uploaded_bytes_total")/grown("p2pstream_seeder_origin_bytes_total"))
	a.leave(t)
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
