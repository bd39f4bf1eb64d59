package schedule

import (
	"testing"
	"time"
)

func TestSpreadFor(t *testing.T) {
	for name, tt := range map[string]struct {
		target    time.Duration
		entries   int
		near      bool
		all, late time.Duration
	}{
		"4 s":                     {4 * time.Second, 10, false, 4500 * time.Millisecond, 1600 * time.Millisecond},
		"2 s":                     {2 * time.Second, 10, false, 2500 * time.Millisecond, 800 * time.Millisecond},
		"6 s":                     {6 * time.Second, 10, false, 6750 * time.Millisecond, 2400 * time.Millisecond},
		"near":                    {4 * time.Second, 10, true, 2400 * time.Millisecond, 800 * time.Millisecond},
		"a short playlist":        {4 * time.Second, 4, false, 0, 0},
		"too short for a relay":   {2 * time.Second, 5, false, 0, 0},
		"no target duration":      {0, 10, false, 0, 0},
		"no entries":              {4 * time.Second, 0, false, 0, 0},
		"a day":                   {24 * time.Hour, 10, false, 0, 0},
		"a playlist without end":  {4 * time.Second, 1 << 30, false, 4500 * time.Millisecond, 1600 * time.Millisecond},
		"less than a millisecond": {time.Microsecond, 1 << 30, false, 1250 * time.Nanosecond, 400 * time.Nanosecond},
	} {
		got := SpreadFor(tt.target, tt.entries, tt.near)
		if got.All != tt.all || got.Late != tt.late {
			t.Errorf("%s: all after %v, late after %v; want %v and %v", name, got.All, got.Late, tt.all, tt.late)
		}
	}
}

func TestSpread(t *testing.T) {
	t0 := time.Unix(1_700_000_000, 0)
	at := func(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }
	times := SpreadTimes{Target: 4 * time.Second, Late: 1600 * time.Millisecond, All: 4500 * time.Millisecond}
	fit := func(rank uint64) Sharer { return Sharer{Fit: true, Rank: rank, Since: at(-60)} }
	told := func(s Sharer, when float64) Sharer { s.Told = at(when); return s }
	asked := func(s Sharer) Sharer { s.Asked = true; return s }
	usual := func(s Sharer, seconds float64) Sharer {
		s.Usual = time.Duration(seconds * float64(time.Second))
		return s
	}
	holds := Sharer{Holds: true, Fit: true, Since: at(-60)}
	unfit := Sharer{Since: at(-60)}
	for name, tt := range map[string]struct {
		now     float64
		sharers []Sharer
		tell    int
		late    bool
		open    bool
		next    float64 // 0: never
	}{
		"none":                          {0, nil, -1, false, true, 0},
		"the highest rank":              {0, []Sharer{fit(1), fit(3), fit(2)}, 1, false, false, 1.6},
		"the lowest tier":               {0, []Sharer{fit(3), {Fit: true, Tier: -1, Since: at(-60)}}, 1, false, false, 1.6},
		"unfit ones are not chosen":     {0, []Sharer{unfit, fit(1), unfit}, 1, false, false, 1.6},
		"only unfit ones":               {0, []Sharer{unfit, unfit}, -1, false, true, 4.5},
		"one is told, in time":          {1.5, []Sharer{told(fit(3), 0), fit(2)}, -1, false, false, 1.6},
		"one is late":                   {1.6, []Sharer{told(fit(3), 0), fit(1), fit(2)}, 2, true, false, 3.2},
		"one that is late as usual":     {1.6, []Sharer{usual(told(fit(3), 0), 2), fit(2)}, -1, false, false, 2.48},
		"one that is later than usual":  {2.48, []Sharer{usual(told(fit(3), 0), 2), fit(2)}, 1, true, false, 4.08},
		"one that is always very late":  {1.6, []Sharer{usual(told(fit(3), 0), 60), fit(2)}, -1, false, false, 4.5},
		"one is late but asked":         {1.6, []Sharer{told(asked(fit(3)), 0), fit(2)}, -1, false, false, 4.5},
		"asked, and still not here":     {4.6, []Sharer{told(asked(fit(3)), 0), fit(2)}, 1, true, false, 6.2},
		"two are late, none is left":    {3.3, []Sharer{told(fit(3), 0), told(fit(2), 1.6)}, -1, false, true, 4.5},
		"one holds it":                  {1.6, []Sharer{holds, fit(2), unfit}, -1, false, false, 4.5},
		"all hold it":                   {1.6, []Sharer{holds, holds}, -1, false, false, 0},
		"one holds it, the rest is due": {5, []Sharer{holds, fit(2)}, -1, false, false, 0},
		"a newcomer has its own time":   {5, []Sharer{holds, {Since: at(4)}}, -1, false, false, 8.5},
	} {
		got := Spread(SpreadView{Now: at(tt.now), Since: t0, Times: times, Sharers: tt.sharers})
		want := SpreadPlan{Tell: tt.tell, Late: tt.late, Open: tt.open}
		if tt.next != 0 {
			want.Next = at(tt.next)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestRanksAreFair: each of ten viewers is chosen for about a tenth of the segments.
func TestRanksAreFair(t *testing.T) {
	seeds := make([]uint64, 10)
	for i := range seeds {
		seeds[i] = SpreadSeed("-PM0203-abcdefghijk" + string(rune('0'+i)))
	}
	chosen := make([]int, len(seeds))
	for sequence := range int64(10_000) {
		best := 0
		for i, seed := range seeds {
			if SpreadRank(seed, sequence) > SpreadRank(seeds[best], sequence) {
				best = i
			}
		}
		chosen[best]++
	}
	for i, n := range chosen {
		if n < 850 || n > 1150 {
			t.Errorf("viewer %d was chosen %d times of 10000", i, n)
		}
	}
}

func TestStart(t *testing.T) {
	t0 := time.Unix(1_700_000_000, 0)
	at := func(s float64) time.Time { return t0.Add(time.Duration(s * float64(time.Second))) }
	for name, tt := range map[string]struct {
		starter Starter
		now     float64
		all     bool
		next    bool
		then    float64
	}{
		"the first of its site":                {Starter{Joined: t0, Last: t0}, 0, true, false, 12},
		"others may have it":                   {Starter{Joined: t0, Last: t0, Mates: true}, 0, false, false, 0.15},
		"others did not give it":               {Starter{Joined: t0, Last: t0, Mates: true}, 0.15, true, false, 12},
		"it has just got one":                  {Starter{Joined: t0, Last: at(1), Begun: true}, 1.1, false, false, 1.8},
		"it gets nothing more":                 {Starter{Joined: t0, Last: at(1), Begun: true}, 1.8, false, true, 12},
		"it is one of the audience by now":     {Starter{Joined: t0, Last: at(1), Begun: true}, 12, false, false, 0},
		"it has shown nothing for a long time": {Starter{Joined: t0, Last: t0}, 12, false, false, 0},
	} {
		tt.starter.Target = 4 * time.Second
		got := Start(tt.starter, at(tt.now))
		want := StartOffer{All: tt.all, Next: tt.next}
		if tt.then != 0 {
			want.Then = at(tt.then)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
