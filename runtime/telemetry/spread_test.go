package telemetry

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// percentileOf is the exact one.
func percentileOf(sorted []time.Duration, share float64) time.Duration {
	return sorted[int(share*float64(len(sorted)-1))]
}

func TestPercentilesAreWithinTwoPercent(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var one, other, merged Spread
	var all []time.Duration
	for i := range 20_000 {
		d := time.Duration(float64(time.Millisecond) * math.Exp(rnd.Float64()*13)) // 1 ms to 7 minutes
		all = append(all, d)
		if i%3 == 0 {
			one.Add(d, 1)
		} else {
			other.Add(d, 1)
		}
	}
	slices.Sort(all)
	merged.Merge(one)
	merged.Merge(other)
	b, err := json.Marshal(merged)
	if err != nil {
		t.Fatal(err)
	}
	var read Spread
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	if len(b) > 8<<10 {
		t.Errorf("%d bytes in JSON", len(b))
	}
	for name, s := range map[string]*Spread{"merged": &merged, "read": &read} {
		if s.Count() != int64(len(all)) {
			t.Errorf("%s: %d durations, want %d", name, s.Count(), len(all))
		}
		for _, share := range []float64{0, .01, .5, .95, .99, 1} {
			got, ok := s.Percentile(share)
			want := percentileOf(all, share)
			if !ok || math.Abs(float64(got-want)) > 0.021*float64(want) {
				t.Errorf("%s: %g is %s, want %s", name, share, got, want)
			}
		}
	}
	if one.Count() >= merged.Count() {
		t.Error("merging changed what was merged")
	}
}

func TestDurationsOutOfBounds(t *testing.T) {
	t.Parallel()
	var s Spread
	if _, ok := s.Percentile(.5); ok || s.Count() != 0 {
		t.Error("an empty distribution has percentiles")
	}
	s.Merge(Spread{})
	s.Add(time.Second, 0)
	s.Add(time.Second, -5)
	if s.Count() != 0 {
		t.Errorf("%d durations, want none", s.Count())
	}
	s.Add(-time.Hour, 1)
	s.Add(math.MaxInt64, 2)
	least, _ := s.Percentile(0)
	most, _ := s.Percentile(1)
	if s.Count() != 3 || least > 2*time.Millisecond || most < 9*time.Minute || most > 11*time.Minute {
		t.Errorf("%d durations between %s and %s", s.Count(), least, most)
	}
}

func FuzzSpread(f *testing.F) {
	var s Spread
	s.Add(time.Second, 7)
	b, err := json.Marshal(s)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{string(b), `{}`, `{"bins":[[0,1]]}`, `{"bins":[[9223372036854775807,1]]}`, `{"bins":[[-1,1]]}`, `{"bins":[[5,-1]]}`, `{"bins":[[5]]}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Spread
		if json.Unmarshal(b, &s) != nil {
			return
		}
		if d, ok := s.Percentile(1); ok && (d < 0 || d > 11*time.Minute) {
			t.Errorf("a percentile is %s", d)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var t2 Spread
		if err := json.Unmarshal(again, &t2); err != nil || t2.Count() != s.Count() {
			t.Errorf("%d durations became %d: %v", s.Count(), t2.Count(), err)
		}
	})
}
