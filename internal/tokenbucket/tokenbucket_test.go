package tokenbucket

import (
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

// step is one call: take n tokens at a time.
type step struct {
	at   time.Duration
	n    float64
	want bool
}

func TestTake(t *testing.T) {
	for name, tt := range map[string]struct {
		rate  Rate
		steps []step
	}{
		"a burst at once, then none": {Rate{1, 3}, []step{{0, 1, true}, {0, 1, true}, {0, 1, true}, {0, 1, false}}},
		"one for each period":        {Rate{2, 1}, []step{{0, 1, true}, {499 * ms, 1, false}, {500 * ms, 1, true}, {999 * ms, 1, false}, {1000 * ms, 1, true}}},
		"no more than the burst":     {Rate{100, 2}, []step{{0, 2, true}, {time.Hour, 3, false}, {time.Hour, 2, true}, {time.Hour, 1, false}}},
		"a refusal costs nothing":    {Rate{1, 2}, []step{{0, 2, true}, {1000 * ms, 2, false}, {1000 * ms, 1, true}}},
		"several at once":            {Rate{10, 10}, []step{{0, 7, true}, {0, 4, false}, {0, 3, true}, {500 * ms, 5, true}, {500 * ms, 1, false}}},
		"a clock that is set back":   {Rate{1, 1}, []step{{time.Hour, 1, true}, {0, 1, false}, {time.Hour, 1, false}, {time.Hour + time.Second, 1, true}}},
		"a rate of zero":             {Rate{0, 1}, []step{{0, 1, true}, {time.Hour, 1, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b Bucket
			for i, s := range tt.steps {
				if got := b.Take(tt.rate, s.n, s.at); got != s.want {
					t.Errorf("step %d, %v at %v: %v", i, s.n, s.at, got)
				}
			}
		})
	}
}

func TestSpendMayOwe(t *testing.T) {
	var b Bucket
	r := Rate{PerSecond: 10, Burst: 20}
	for i, s := range []struct {
		at      time.Duration
		n, left float64
	}{
		{0, 5, 15}, {0, 25, -10}, {1000 * ms, 0, 0}, {1500 * ms, 0, 5}, {1500 * ms, 105, -100}, {2500 * ms, 0, -90}, {time.Hour, 1, 19},
	} {
		if left := b.Spend(r, s.n, s.at); left != s.left {
			t.Errorf("step %d: %v left, want %v", i, left, s.left)
		}
	}
	if b.Spend(r, 119, time.Hour); b.Take(r, 1, time.Hour+10*time.Second) || !b.Take(r, 1, time.Hour+10*time.Second+100*ms) {
		t.Error("a bucket in debt gives tokens before the debt is paid, or not soon after")
	}
}

func TestLeftTakesNothing(t *testing.T) {
	var b Bucket
	r := Rate{PerSecond: 1, Burst: 2}
	for range 5 {
		if left := b.Left(r, 0); left != 2 {
			t.Fatalf("%v left", left)
		}
	}
}

func TestScale(t *testing.T) {
	if got := (Rate{2, 3}).Scale(20); got != (Rate{40, 60}) {
		t.Errorf("got %v", got)
	}
}

// TestNeverMoreThanTheRate takes at random times: over any time, a bucket gives at most the burst and what came since.
func TestNeverMoreThanTheRate(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		r := Rate{PerSecond: 1 + 100*rnd.Float64(), Burst: 1 + 50*rnd.Float64()}
		var b Bucket
		var now time.Duration
		taken := 0.0
		for range 1000 {
			now += time.Duration(rnd.Int64N(int64(50 * ms)))
			if n := 5 * rnd.Float64(); b.Take(r, n, now) {
				taken += n
			}
			if most := r.Burst + now.Seconds()*r.PerSecond; taken > most+1e-6 {
				t.Fatalf("%v taken in %v of %+v", taken, now, r)
			}
		}
	}
}

func BenchmarkTake(b *testing.B) {
	buckets := make([]Bucket, 1024)
	r := Rate{PerSecond: 1e6, Burst: 100}
	b.ReportAllocs()
	for i := range b.N {
		buckets[i%len(buckets)].Take(r, 1, time.Duration(i))
	}
}
