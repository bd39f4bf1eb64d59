package interop

import (
	"math"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
)

// TestTelemetryTellsTheTruth compares /v1/stats with what pages and viewers measured themselves, over a
// restart of the tracker.
func TestTelemetryTellsTheTruth(t *testing.T) {
	t.Parallel()
	pool.Take(t, 3)
	ctx := t.Context()
	s := startStream(t, liveAndVOD["live"], nil)
	s.startSeeder(t)
	b := sharedBrowser(t)
	tabs := openTabs(t, 2, func() *browser.Tab {
		return b.OpenHLSFrom(ctx, s.http("/v1/config"), browser.WithReporter(s.http("/p2pstream.js")))
	})
	viewers := s.launchViewers(t, "--count", "2", "--duration", "75s")
	lab.Eventually(t, 60*time.Second, "four viewers to report", func() bool {
		st, err := s.stats(t)
		return err == nil && st.Reporting >= 4
	})
	<-time.After(20 * time.Second)

	var total telemetry.Accumulator
	before, err := s.accumulate(t, &total)
	if err != nil {
		t.Fatal(err)
	}
	<-time.After(5 * time.Second) // bytes that are counted and never read
	s.tracker.Kill()
	s.startTracker(t)
	r := waitForReport(t, viewers, 90*time.Second)
	reports := []browser.Report{tabs[0].Report(ctx), tabs[1].Report(ctx)}
	own := measured(reports, r)
	// The pages' next reports carry at least what was read above.
	var after telemetry.Counters
	lab.Eventually(t, 30*time.Second, "the pages' reports to arrive", func() bool {
		after, err = s.accumulate(t, &total)
		return err == nil && after.Received() >= own.Received()*98/100
	})
	ownShare, _ := own.Offload()
	saidShare, _ := after.Offload()
	t.Logf("before the kill %+v, in the end %+v; measured %+v (%.4f against %.4f)", before, after, own, saidShare, ownShare)
	if math.Abs(ownShare-saidShare) > 0.02 {
		t.Errorf("stats say offload %.4f, pages and viewers measured %.4f", saidShare, ownShare)
	}
	// Pages go on while this is compared: what they measured before and after lies around what they reported.
	later := measured([]browser.Report{tabs[0].Report(ctx), tabs[1].Report(ctx)}, r)
	if most := later.Received() * 102 / 100; after.Received() > most {
		t.Errorf("after the tracker was killed stats say %d bytes, more than the %d that were measured and 2 %%", after.Received(), later.Received())
	}
}

// measured sums up what pages and viewers counted by themselves.
func measured(reports []browser.Report, r viewer.Report) telemetry.Counters {
	sum := telemetry.Counters{HTTP: r.Total.Bytes.HTTP, Seeder: r.Total.Bytes.Seeder, Viewer: r.Total.Bytes.Viewer}
	pages := browser.Total(reports...)
	return sum.Add(telemetry.Counters{HTTP: pages.HTTP, Seeder: pages.Seeder, Viewer: pages.Viewer})
}
