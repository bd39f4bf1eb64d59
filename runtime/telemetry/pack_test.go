package telemetry

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestPackedSessionsReturnAsTheyWere, with the smallest and the largest values that reports may have, names with a number and
// without, and differences below zero.
func TestPackedSessionsReturnAsTheyWere(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(8, 9))
	a := NewAggregate(Config{}, start)
	a.SetRenditions(map[string]string{"main-0": "720p"})
	id := a.records.add(recordKeyOf(RoleViewer, "k"))
	n := func() int64 { return rnd.Int64N(MaxCounter) >> rnd.IntN(54) }
	counters := func() Counters { return Counters{n(), n(), n(), n(), n()} }
	for range 10_000 {
		r := a.records.at(id)
		r.last = a.clock(start) + n()
		want := session{record: r, id: id, sequence: n(), began: r.last - n() + n()>>20, counters: counters(), read: counters(), kept: counters(), walk: uint64(n()),
			stalls: rnd.IntN(maxCount), stallMs: n(), startupMs: n(), allowance: float64(rnd.IntN(64)) / 16,
			budget: budget{received: float64(rnd.IntN(64 << 20)), uploaded: 64 << 20, media: float64(n()), known: rnd.IntN(2) == 0}}
		if rnd.IntN(2) == 0 {
			want.kept, want.read = want.counters, want.counters
		}
		if rnd.IntN(2) == 0 {
			want.checks = Checks{n(), n(), n(), n()}
		}
		for i := range rnd.IntN(2*MaxPlayed + 1) {
			p := playing{key: fmt.Sprint("main-", i), bytes: Sources{n(), n(), n(), n(), n()}, began: r.last - rnd.Int64N(int64(settled)+1)}
			p.rose = []int64{0, r.last, r.last - n()}[rnd.IntN(3)]
			want.played = append(want.played, p)
		}
		a.pack(&want)
		var got session
		a.unpack(&got, id)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("\n%+v, want\n%+v", got, want)
		}
	}
	if len(a.names.texts) != 1 {
		t.Errorf("%d numbers for names that are not the stream's", len(a.names.texts)-1)
	}
}

// TestPlacesOfForgottenSessionsAreUsedAgain: an audience that changes takes no more room than one that stays, and the memory of one
// that has gone is given back.
func TestPlacesOfForgottenSessionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	a := NewAggregate(Config{MaxSessions: 100}, start)
	for i := range 5000 {
		accept(t, a, sender(fmt.Sprint("v", i), "Berlin"), viewer(1, 1), 0)
	}
	if len(a.records.chunks) != 1 || a.Sessions() != 100 {
		t.Errorf("%d chunks for %d sessions", len(a.records.chunks), a.Sessions())
	}
	end := start.Add(48 * a.cfg.Lifetime)
	if got := a.Summary(end); got.Sessions != 0 || got.Evicted != 5000 || got.Groups[0].Reporting != 0 || len(a.records.chunks) != 0 {
		t.Errorf("%+v, %d chunks", got, len(a.records.chunks))
	}
	accept(t, a, sender("late", "Berlin"), viewer(1, 1), end.Sub(start))
	if got := siteNamed(t, a, "Berlin", end); got.Reporting != 1 {
		t.Errorf("%+v", got)
	}
}
