package browser

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestVerdictIsThatOfAllRounds compares the verdict with that of the median of 19 delays, for delays around the limit.
func TestVerdictIsThatOfAllRounds(t *testing.T) {
	t.Parallel()
	const limit = 400
	random := rand.New(rand.NewPCG(1, 2))
	verdicts := map[bool]int{}
	for range 2000 {
		var plain, shared, delays []int
		for range rounds {
			plain = append(plain, 100+150*random.IntN(2))
			shared = append(shared, 450+random.IntN(250))
			delays = append(delays, shared[len(shared)-1]-plain[len(plain)-1])
		}
		next := func(v []int) func() int {
			i := 0
			return func() int { i++; return v[i-1] }
		}
		f := CompareFirstFrames(limit, next(plain), next(shared))
		slices.Sort(delays)
		if want := delays[rounds/2] <= limit; f.Within != want {
			t.Fatalf("within = %t after %d rounds, want %t as of the median of %v", f.Within, len(f.Plain), want, delays)
		}
		verdicts[f.Within]++
	}
	if verdicts[true] < 500 || verdicts[false] < 500 {
		t.Errorf("the cases are one-sided: %v", verdicts)
	}
}

func TestRoundsEndOnceTenAgree(t *testing.T) {
	t.Parallel()
	always := func(ms int) func() int { return func() int { return ms } }
	for name, tt := range map[string]struct {
		shared int
		within bool
	}{
		"at the limit": {500, true}, "beyond the limit": {501, false},
	} {
		if f := CompareFirstFrames(400, always(100), always(tt.shared)); f.Within != tt.within || len(f.Plain) != 10 || len(f.Shared) != 10 {
			t.Errorf("%s: %+v, want 10 rounds and within = %t", name, f, tt.within)
		}
	}
}
