package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

func TestFill(t *testing.T) {
	const target = 4 * time.Second
	at := func(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }
	type source = schedule.FillSource
	central := func(h schedule.Holding) source { return source{Holds: h} }
	mate := func(h schedule.Holding, before bool) source { return source{Near: true, Before: before, Holds: h} }
	busy := func(s source) source { s.Busy = true; return s }
	failed := func(s source) source { s.Failed = true; return s }
	for name, tt := range map[string]struct {
		now     float64
		tries   int
		sources []source
		from    int
		origin  bool
		until   float64
	}{
		"alone":                                      {0, 0, nil, -1, true, 0},
		"a seeder outside holds it":                  {0, 0, []source{central(schedule.Loaded)}, 0, false, 0},
		"one is busy, another is not":                {0, 0, []source{busy(central(schedule.Loaded)), central(schedule.Loaded)}, 1, false, 0},
		"the only one is busy":                       {0, 0, []source{busy(central(schedule.Loaded))}, -1, false, 8},
		"it was busy for long":                       {8, 0, []source{busy(central(schedule.Loaded))}, -1, true, 0},
		"a seeder outside is fetching it":            {0, 0, []source{central(schedule.Loading)}, -1, false, 2},
		"that one is late":                           {2, 0, []source{central(schedule.Loading)}, -1, true, 0},
		"a seeder outside has not announced it":      {0, 0, []source{central(schedule.Absent)}, -1, false, 0.8},
		"and does not":                               {0.8, 0, []source{central(schedule.Absent)}, -1, true, 0},
		"it failed to deliver, another one holds it": {0, 1, []source{failed(central(schedule.Loaded)), central(schedule.Loaded)}, 1, false, 0},
		"requests came to nothing":                   {0, 3, []source{central(schedule.Loaded)}, -1, true, 0},
		"one of the site holds it":                   {0, 0, []source{central(schedule.Loaded), mate(schedule.Loaded, true)}, 1, false, 0},
		"one of the site that comes later holds it":  {0, 0, []source{central(schedule.Loaded), mate(schedule.Loaded, false)}, 1, false, 0},
		"another one of the site is to get it":       {0, 0, []source{central(schedule.Loaded), mate(schedule.Absent, true)}, -1, false, 1.2},
		"that one is late, as nothing comes":         {1.2, 0, []source{central(schedule.Loaded), mate(schedule.Absent, true)}, 0, false, 0},
		"that one is getting it":                     {1.2, 0, []source{central(schedule.Loaded), mate(schedule.Loading, true)}, -1, false, 3.6},
		"and does not come to an end":                {3.6, 0, []source{central(schedule.Loaded), mate(schedule.Loading, true)}, 0, false, 0},
		"the third takes its turn":                   {1.2, 0, []source{mate(schedule.Absent, true), mate(schedule.Absent, true)}, -1, false, 2.4},
		"the third takes over, from the origin":      {2.4, 0, []source{mate(schedule.Absent, true), mate(schedule.Absent, true)}, -1, true, 0},
		"those that come later are not waited for":   {0, 0, []source{mate(schedule.Loading, false)}, -1, true, 0},
		"one of the site holds it and is busy":       {0, 0, []source{busy(mate(schedule.Loaded, true))}, -1, false, 3.6},
		"one of the site is busy for long":           {3.6, 0, []source{central(schedule.Loaded), busy(mate(schedule.Loaded, true))}, 0, false, 0},
		"the faster one of two":                      {0, 0, []source{{Holds: schedule.Loaded, Speed: 1}, {Holds: schedule.Loaded, Speed: 9}}, 1, false, 0},
	} {
		got := schedule.Fill(schedule.FillView{Now: at(tt.now), Since: epoch, Target: target, Tries: tt.tries, Origin: true, Sources: tt.sources})
		want := schedule.FillPlan{Source: tt.from, Origin: tt.origin}
		if tt.until > 0 {
			want.Until = at(tt.until)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestFillShared: central seeders wait for each other less, and for none when a player is about to ask.
func TestFillShared(t *testing.T) {
	const target = 4 * time.Second
	mate := func(h schedule.Holding, before bool) schedule.FillSource {
		return schedule.FillSource{Near: true, Before: before, Holds: h}
	}
	first, seven := mate(schedule.Absent, true), []schedule.FillSource(nil)
	for range 7 {
		seven = append(seven, first)
	}
	busy := mate(schedule.Loaded, true)
	busy.Busy = true
	for name, tt := range map[string]struct {
		calm, urgent bool
		sources      []schedule.FillSource
		from         int
		wait         time.Duration // 0: none
	}{
		"another one comes first":                {false, false, []schedule.FillSource{first}, -1, target * 15 / 100},
		"seven others do":                        {false, false, seven, -1, target * 45 / 100},
		"and one is getting it":                  {false, false, append(slices.Clone(seven), mate(schedule.Loading, true)), -1, target * 75 / 100},
		"the first one is getting it":            {false, false, []schedule.FillSource{mate(schedule.Loading, true)}, -1, target * 45 / 100},
		"one that comes later is getting it":     {false, false, []schedule.FillSource{mate(schedule.Loading, false)}, -1, 0},
		"another one holds it":                   {false, false, []schedule.FillSource{mate(schedule.Loaded, true)}, 0, 0},
		"it sends another segment":               {false, false, []schedule.FillSource{busy}, -1, target * 45 / 100},
		"it does, and players are not near":      {true, false, []schedule.FillSource{busy}, -1, target * 830 / 100},
		"a player is about to ask":               {true, true, []schedule.FillSource{first}, -1, 0},
		"a player is, another one is busy":       {false, true, []schedule.FillSource{busy}, -1, 0},
		"a player is, another one is getting it": {false, true, []schedule.FillSource{mate(schedule.Loading, true)}, -1, 0},
		"a player is, another one holds it":      {false, true, []schedule.FillSource{mate(schedule.Loaded, false)}, 0, 0},
		"players are not near":                   {true, false, []schedule.FillSource{first}, -1, target * 30 / 100},
	} {
		v := schedule.FillView{Now: epoch, Since: epoch, Shared: true, Calm: tt.calm, Urgent: tt.urgent, Target: target, Origin: true, Sources: tt.sources}
		want := schedule.FillPlan{Source: tt.from, Origin: tt.from < 0 && tt.wait == 0}
		if tt.wait > 0 {
			want.Until = epoch.Add(tt.wait)
		}
		if got := schedule.Fill(v); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if tt.wait > 0 {
			if v.Now = want.Until; !schedule.Fill(v).Origin {
				t.Errorf("%s: nothing is asked for at the end of the wait", name)
			}
		}
	}
}

func TestFillExpectsConnections(t *testing.T) {
	v := schedule.FillView{Now: epoch, Since: epoch, Target: 4 * time.Second, Origin: true, Expect: epoch.Add(3 * time.Second)}
	if got := schedule.Fill(v); got != (schedule.FillPlan{Source: -1, Until: v.Expect}) {
		t.Errorf("before a seeder can have connected: %+v", got)
	}
	v.Now = v.Expect
	if got := schedule.Fill(v); !got.Origin {
		t.Errorf("when none has: %+v", got)
	}
	v.Now, v.Sources = epoch, []schedule.FillSource{{Holds: schedule.Loaded}}
	if got := schedule.Fill(v); got.Source != 0 {
		t.Errorf("when one has: %+v", got)
	}
}

// TestFillBeginsAnew: when a seeder has a segment long after it was wanted, or those of a site meet late, one of the site takes it.
func TestFillBeginsAnew(t *testing.T) {
	const target = 4 * time.Second
	mate := schedule.FillSource{Near: true, Before: true}
	late := epoch.Add(20 * time.Second)
	v := schedule.FillView{Now: late, Since: epoch, Anew: late, Calm: true, Target: target, Origin: true,
		Sources: []schedule.FillSource{{Holds: schedule.Loaded}, mate}}
	if got := schedule.Fill(v); got.Source >= 0 || got.Until != late.Add(target*30/100) {
		t.Errorf("another one comes first: %+v", got)
	}
	v.Sources[1].Before = false
	if got := schedule.Fill(v); got.Source != 0 {
		t.Errorf("it comes first itself: %+v", got)
	}
	// Players that are near do not wait for that.
	v.Sources[1].Before, v.Calm = true, false
	if got := schedule.Fill(v); got.Source != 0 {
		t.Errorf("players are near: %+v", got)
	}
}

// TestFillStaysCalm: a seeder that has just failed is asked again before the origin is, if players are not near.
func TestFillStaysCalm(t *testing.T) {
	v := schedule.FillView{Now: epoch.Add(time.Minute), Since: epoch, Failed: epoch.Add(time.Minute), Calm: true, Target: 4 * time.Second, Origin: true,
		Sources: []schedule.FillSource{{Holds: schedule.Loaded, Failed: true}}}
	if got := schedule.Fill(v); got.Origin || got.Until != v.Failed.Add(8*time.Second) {
		t.Errorf("it has just failed: %+v", got)
	}
	v.Now = v.Failed.Add(8 * time.Second)
	if got := schedule.Fill(v); !got.Origin {
		t.Errorf("it goes on to fail: %+v", got)
	}
	v.Now, v.Calm = v.Failed, false
	if got := schedule.Fill(v); !got.Origin {
		t.Errorf("players are near: %+v", got)
	}
}

// TestFillAlwaysEnds: whatever sources say, a segment is asked for after a bounded time, and exactly one action is planned.
func TestFillAlwaysEnds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		v := schedule.FillView{Now: epoch, Since: epoch, Target: time.Duration(r.IntN(12)) * time.Second, Origin: true, Tries: r.IntN(5),
			Expect: epoch.Add(time.Duration(r.IntN(4)) * time.Second), Calm: r.IntN(2) == 0, Shared: r.IntN(2) == 0, Urgent: r.IntN(9) == 0,
			Anew: epoch.Add(time.Duration(r.IntN(20)-10) * time.Second), Failed: epoch.Add(-time.Duration(r.IntN(60)) * time.Second)}
		for range r.IntN(9) {
			v.Sources = append(v.Sources, schedule.FillSource{Near: r.IntN(2) == 0, Before: r.IntN(2) == 0, Busy: r.IntN(2) == 0,
				Failed: r.IntN(4) == 0, Holds: schedule.Holding(r.IntN(3)), Speed: float64(r.IntN(3))})
		}
		steps := 0
		for {
			plan := schedule.Fill(v)
			if plan.Source >= 0 {
				if s := v.Sources[plan.Source]; plan.Origin || s.Holds != schedule.Loaded || s.Busy || s.Failed {
					t.Fatalf("%+v plans %+v", v, plan)
				}
				break
			}
			if plan.Origin {
				break
			}
			if steps++; !plan.Until.After(v.Now) || steps > 4 {
				t.Fatalf("%+v waits until %v", v, plan.Until)
			}
			v.Now = plan.Until
		}
		limit := 3*time.Second + 6*max(v.Target, 2*time.Second)
		if v.Calm {
			limit += 22 * max(v.Target, 2*time.Second)
		}
		if v.Now.Sub(epoch) > limit {
			t.Fatalf("it waited %v, more than %v", v.Now.Sub(epoch), limit)
		}
	}
}

// TestOneOfASiteComesFirst: of any edge seeders exactly one comes before all others, each about equally often, and it is the
// one that a seeder which holds segments back would choose.
func TestOneOfASiteComesFirst(t *testing.T) {
	ids := make([]string, 4)
	for i := range ids {
		ids[i] = fmt.Sprintf("-PS0001-%012d", i*7919)
	}
	first := make([]int, len(ids))
	for sequence := range int64(4000) {
		best := -1
		for i := range ids {
			before := 0
			for j := range ids {
				if i != j && schedule.FillBefore(ids[j], ids[i], sequence) {
					before++
				}
			}
			if before == 0 {
				if best >= 0 {
					t.Fatalf("two come first for %d", sequence)
				}
				best = i
			}
		}
		if best < 0 {
			t.Fatalf("none comes first for %d", sequence)
		}
		first[best]++
		for i := range ids {
			if schedule.SpreadRank(schedule.SpreadSeed(ids[i]), sequence) > schedule.SpreadRank(schedule.SpreadSeed(ids[best]), sequence) {
				t.Fatalf("another one is chosen for %d", sequence)
			}
		}
	}
	for i, n := range first {
		if n < 850 || n > 1150 {
			t.Errorf("edge seeder %d comes first for %d of 4000 segments", i, n)
		}
	}
}

func TestFillLate(t *testing.T) {
	at := func(s float64) time.Time { return epoch.Add(time.Duration(s * float64(time.Second))) }
	for name, tt := range map[string]struct {
		flight schedule.Flight
		now    float64
		calm   bool
		shared bool
		want   bool
	}{
		"just asked":                {schedule.Flight{Since: epoch}, 0.9, false, false, false},
		"silent from the start":     {schedule.Flight{Since: epoch}, 1, false, false, true},
		"bytes come":                {schedule.Flight{Since: epoch, LastBytes: at(4)}, 4.5, false, false, false},
		"bytes came until lately":   {schedule.Flight{Since: epoch, LastBytes: at(4)}, 5, false, false, true},
		"bytes come, too slowly":    {schedule.Flight{Since: epoch, LastBytes: at(8)}, 8, false, false, true},
		"players are not near":      {schedule.Flight{Since: epoch}, 3.9, true, false, false},
		"nor does it deliver":       {schedule.Flight{Since: epoch}, 4, true, false, true},
		"slow, players not near":    {schedule.Flight{Since: epoch, LastBytes: at(31)}, 31, true, false, false},
		"of a central seeder":       {schedule.Flight{Since: epoch, LastBytes: at(2.3)}, 2.3, false, true, false},
		"too slow for that":         {schedule.Flight{Since: epoch, LastBytes: at(2.4)}, 2.4, false, true, true},
		"too slow for these either": {schedule.Flight{Since: epoch, LastBytes: at(32)}, 32, true, false, true},
	} {
		if got := schedule.FillLate(tt.flight, 4*time.Second, tt.calm, tt.shared, at(tt.now)); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
