package telemetry

import (
	"testing"
	"time"
)

func TestWaits(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := NewAggregate(Config{}, began)
	from := Sender{Key: "one", Stream: "s", Role: RoleViewer, Began: began}
	send := func(sequence int64, stalls int, stallMs, startupMs int64, at time.Duration) Result {
		t.Helper()
		result, err := a.Accept(from, Report{Version: 1, Sequence: sequence, Role: RoleViewer, Stalls: stalls, StallMs: stallMs, StartupMs: startupMs}, began.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	near := func(what string, s Spread, count int64, want time.Duration) {
		t.Helper()
		got, _ := s.Percentile(.95)
		if s.Count() != count || got < want*97/100 || got > want*103/100 {
			t.Errorf("%s: %d durations, 95 %% within %s; want %d, %s", what, s.Count(), got, count, want)
		}
	}
	send(1, 0, 0, 800, time.Second)
	send(2, 2, 600, 800, 6*time.Second)
	total, recent := a.Waits("s", began.Add(6*time.Second))
	near("start-up", total.Startup, 1, 800*time.Millisecond)
	near("stalls", total.Stall, 2, 300*time.Millisecond)
	near("recent stalls", recent.Stall, 2, 300*time.Millisecond)

	send(3, 3, 1600, 800, 6*time.Minute)
	total, recent = a.Waits("s", began.Add(7*time.Minute))
	near("all stalls", total.Stall, 3, 300*time.Millisecond) // the middle one of three
	near("stalls of the turn before, and of this one", recent.Stall, 3, 300*time.Millisecond)
	_, recent = a.Waits("s", began.Add(12*time.Minute))
	near("the last stall", recent.Stall, 1, time.Second)
	total, recent = a.Waits("s", began.Add(time.Hour))
	if recent.Stall.Count() != 0 || recent.Startup.Count() != 0 || total.Stall.Count() != 3 {
		t.Errorf("after an hour: recent %d, in all %d", recent.Stall.Count(), total.Stall.Count())
	}
	if total, _ := a.Waits("another", began); total.Startup.Count() != 0 {
		t.Error("a stream without viewers has waits")
	}
}

func TestWaitsThatCannotBeAreCut(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		first, second Report
		want          Result // of the second, which comes ten seconds after the first
		startup       int64  // of the first
	}{
		"honest":        {Report{StartupMs: 900}, Report{Stalls: 2, StallMs: 9000, StartupMs: 900}, Result{Stalls: 2, StallMs: 9000}, 900},
		"late":          {Report{StartupMs: 900}, Report{Stalls: 1, StallMs: 14_900, StartupMs: 900}, Result{Stalls: 1, StallMs: 14_900}, 900},
		"many stalls":   {Report{}, Report{Stalls: maxCount, StallMs: 1000}, Result{Stalls: 160, StallMs: 1000, Clamped: true}, 0},
		"long stalls":   {Report{}, Report{Stalls: 1, StallMs: maxMillis}, Result{Stalls: 1, StallMs: 15_000, Clamped: true}, 0},
		"long start-up": {Report{StartupMs: maxMillis}, Report{StartupMs: maxMillis}, Result{}, 65_000},
		"late start-up": {Report{}, Report{StartupMs: maxMillis}, Result{Startup: 75_000, Clamped: true}, 0},
	} {
		a := NewAggregate(Config{}, began)
		from := Sender{Key: "one", Stream: "s", Role: RoleViewer, Began: began}
		send := func(r Report, sequence int64, at time.Duration) Result {
			t.Helper()
			r.Version, r.Sequence, r.Role = 1, sequence, RoleViewer
			result, err := a.Accept(from, r, began.Add(at))
			if err != nil {
				t.Fatal(err)
			}
			return result
		}
		if got := send(c.first, 1, time.Minute); got.Startup != c.startup || got.Clamped != (c.startup == 65_000) {
			t.Errorf("%s: the first report has a start-up of %d ms, want %d", name, got.Startup, c.startup)
		}
		got := send(c.second, 2, 70*time.Second)
		if got.Stalls != c.want.Stalls || got.StallMs != c.want.StallMs || got.Startup != c.want.Startup || got.Clamped != c.want.Clamped {
			t.Errorf("%s: counted %d stalls of %d ms, start-up %d ms, cut %t; want %d, %d, %d, %t", name,
				got.Stalls, got.StallMs, got.Startup, got.Clamped, c.want.Stalls, c.want.StallMs, c.want.Startup, c.want.Clamped)
		}
	}
}
