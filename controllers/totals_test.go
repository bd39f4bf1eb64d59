package controllers_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// audience is a tracker's telemetry with viewers who report to it as the published rules say.
type audience struct {
	*telemetry.Aggregate
	viewers []*viewer
}

type viewer struct {
	key      string
	began    time.Time
	sequence int64
	counted  telemetry.Counters
	base     *telemetry.Counters
	receipts []telemetry.Receipt
}

// report has each viewer report some more bytes. It returns how many those were.
func (a *audience) report(t *testing.T, rnd *rand.Rand, now time.Time) (sent int64) {
	t.Helper()
	for _, v := range a.viewers {
		more := rnd.Int64N(100_000)
		v.counted.HTTP, v.counted.Viewer, sent = v.counted.HTTP+more, v.counted.Viewer+2*more, sent+more
		v.sequence++
		r, err := a.Accept(telemetry.Sender{Key: v.key, Stream: "s", Role: telemetry.RoleViewer, Began: v.began},
			telemetry.Report{Version: telemetry.ReportVersion, Role: telemetry.RoleViewer, Sequence: v.sequence, Counters: v.counted, Base: v.base, Receipts: v.receipts}, now)
		if err != nil {
			t.Fatal(err)
		}
		v.base, v.receipts = &r.Acked, r.Receipts
	}
	return sent
}

// TestTotalsSurviveTheOperator kills the operator many times: between reading and writing, while it writes,
// after it wrote and before it knew. Trackers are replaced in between. Nothing is lost and nothing counts twice.
func TestTotalsSurviveTheOperator(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live")
	c := &clock{now: time.Now().Truncate(time.Second)}
	h := w.byHand("live", c)
	h.settle(t)

	rnd := rand.New(rand.NewPCG(7, 7))
	a := &audience{}
	for i := range 5 {
		a.viewers = append(a.viewers, &viewer{key: fmt.Sprint(i), began: c.Now()})
	}
	f := newTracker("")
	t.Cleanup(f.Close)
	f.onRead = func(s *stats.Stats, kept telemetry.Kept) {
		if s.Offload.Reading = 0; kept != nil {
			s.Offload.Reading = a.MarkRead(c.Now(), kept)
		}
		s.Offload.Totals = a.Summary(c.Now()).Stream("s", telemetry.RoleViewer).Totals
	}
	boots := 0
	boot := func() {
		boots++
		a.Aggregate = telemetry.NewAggregate(telemetry.Config{BurstBytes: 1 << 40, OnlyRead: true, Boot: fmt.Sprint("boot-", boots)}, c.Now())
		f.set(func(s *stats.Stats) { s.Boot, s.StartedAt = fmt.Sprint("boot-", boots), c.Now() })
	}
	boot()
	w.setAddress(w.podIP(plan.ComponentTracker), f.address())

	var sent int64
	// rounds of 5 s with an operator that may die in them.
	round := func(kill string) {
		c.turn(5 * time.Second)
		sent += a.report(t, rnd, c.Now())
		h.client.before, h.client.after = nil, nil
		switch kill {
		case "between reading and writing":
			h.client.before = func() error { return errKilled }
		case "after writing":
			h.client.after = func() error { return errKilled }
		}
		if err := h.run(t.Context()); err != nil || kill != "" {
			h.revive()
		}
		h.client.before, h.client.after = nil, nil
	}
	check := func(when string) {
		t.Helper()
		for range 5 { // enough for a reading to be due, and nothing new is counted
			c.turn(5 * time.Second)
			if err := h.run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		got := w.get("live").Status.Offload
		if got == nil || got.Totals.OriginBytes != sent || got.Totals.PeerBytes != 2*sent {
			t.Fatalf("%s: totals %+v, viewers sent %d", when, got, sent)
		}
	}
	for range 8 {
		round("")
	}
	check("undisturbed")
	kills := []string{"", "between reading and writing", "after writing", "at rest"}
	for i := range 60 {
		round(kills[rnd.IntN(len(kills))])
		if i%20 == 19 {
			check(fmt.Sprint("after round ", i))
		}
	}
	for i := range 12 {
		// A tracker that is killed at any moment. What was not read, or not kept, comes back with the sessions.
		for range rnd.IntN(7) {
			round(kills[rnd.IntN(len(kills))])
		}
		boot()
		round(kills[rnd.IntN(len(kills))])
		if i%3 == 2 {
			check(fmt.Sprintf("with tracker %d", i+2))
		}
	}
	// One that lives while no operator does.
	sent += a.report(t, rnd, c.Now().Add(time.Second))
	for range 2 {
		boot()
		for range 3 {
			c.turn(5 * time.Second)
			sent += a.report(t, rnd, c.Now())
		}
	}
	h.revive()
	check("after a tracker that was never asked")
	if s := w.get("live").Status.Offload; len(s.Runs) != 8 || !s.Since.Time.Before(c.Now()) {
		t.Errorf("%+v", s)
	}
}

// TestTwoOperators lets an operator that lost its lease without knowing write between another's reading and writing.
func TestTwoOperators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live")
	c := &clock{now: time.Now().Truncate(time.Second)}
	first, second := w.byHand("live", c), w.byHand("live", c)
	first.settle(t)
	f := newTracker("b")
	t.Cleanup(f.Close)
	w.setAddress(w.podIP(plan.ComponentTracker), f.address())
	var truth int64
	for i := range 6 {
		f.set(func(s *stats.Stats) { s.Boot, s.Offload.Totals.HTTP = fmt.Sprint("boot-", i), 1000 })
		c.turn(20 * time.Second)
		first.client.before = func() error {
			first.client.before = nil
			f.set(func(s *stats.Stats) { s.Offload.Totals.HTTP = 1500 })
			return second.run(t.Context())
		}
		if err := first.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		truth += 1500
		// The first one looks again, and does not get to ask this tracker once more.
		c.turn(time.Second)
		if err := first.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.get("live").Status.Offload.Totals.OriginBytes; got != truth {
		t.Errorf("totals %d, counted %d", got, truth)
	}
	if second.client.writes < 6 {
		t.Errorf("the second wrote %d times", second.client.writes)
	}
}

// podIP of a component's pod.
func (w *world) podIP(component string) string {
	w.t.Helper()
	var ip string
	if !w.eventually(func() bool {
		var pods corev1.PodList
		if err := w.List(w.t.Context(), &pods); err != nil {
			w.t.Fatal(err)
		}
		for _, p := range pods.Items {
			if p.Namespace == w.ns && p.Labels[plan.LabelComponent] == component && p.Status.PodIP != "" {
				ip = p.Status.PodIP
			}
		}
		return ip != ""
	}) {
		w.t.Fatalf("no pod of %s has an address", component)
	}
	return ip
}

// TestStatusIsWrittenSeldom lets a busy stream go on for half a minute and an idle one for ten.
func TestStatusIsWrittenSeldom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live", exposed)
	c := &clock{now: time.Now().Truncate(time.Second)}
	h := w.byHand("live", c)
	h.settle(t)
	f := newTracker("b")
	t.Cleanup(f.Close)
	w.setAddress(w.podIP(plan.ComponentTracker), f.address())
	for range 60 { // until the first figures are there
		c.turn(time.Second)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	h.client.writes = 0
	viewers := 0
	for range 30 {
		c.turn(time.Second)
		viewers++
		f.set(func(s *stats.Stats) {
			s.Viewers, s.Reporting, s.Peers = viewers+100, viewers+90, 3*viewers
			s.Offload.Window = telemetry.Counters{HTTP: int64(viewers) * 1_000_000, Viewer: int64(viewers) * 9_000_000}
			s.Offload.Totals = s.Offload.Window
		})
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// One for the edge from no viewers to some, and one every 15 s.
	if h.client.writes < 2 || h.client.writes > 3 {
		t.Errorf("%d writes in 30 s of a busy stream", h.client.writes)
	}
	if s := w.get("live"); s.Status.Offload.Percent == nil || *s.Status.Offload.Percent != 90 || s.Status.Offload.Totals.PeerBytes == 0 {
		t.Errorf("%+v", s.Status.Offload)
	}

	f.set(func(s *stats.Stats) {
		s.Viewers, s.Reporting, s.Peers, s.Offload.Window = 0, 0, 0, telemetry.Counters{}
	})
	for range 4 {
		c.turn(15 * time.Second)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.client.writes = 0
	f.reset()
	for range 120 {
		c.turn(5 * time.Second)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if asked, _ := f.reset(); h.client.writes > 2 || asked < 115 {
		t.Errorf("%d writes and %d questions in ten minutes of an idle stream", h.client.writes, asked)
	}
}

// TestSilentTrackerIsLeftAlone asks a tracker that does not answer ever less often, and reports that.
func TestSilentTrackerIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live")
	c := &clock{now: time.Now().Truncate(time.Second)}
	h := w.byHand("live", c)
	h.settle(t)
	f := newTracker("b")
	w.setAddress(w.podIP(plan.ComponentTracker), f.address())
	c.turn(10 * time.Second)
	if err := h.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for range 60 {
		c.turn(time.Second)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	s := w.get("live")
	if !has("TelemetryFresh=False/Stale")(s) || !has("Ready=True/Serving")(s) || s.Status.Offload == nil {
		t.Errorf("%+v", s.Status)
	}
	w.says(s, "TelemetryFresh", "TCP port 9090")
}
