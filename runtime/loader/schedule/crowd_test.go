package schedule_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

func TestCrowd(t *testing.T) {
	for name, tt := range map[string]struct {
		next             []int64
		last, span, want int64
	}{
		"no viewer":                     {nil, 7, 10, 7},
		"one viewer":                    {[]int64{400}, 1, 10, 400},
		"it plays on":                   {[]int64{403}, 400, 10, 403},
		"another one has paused":        {[]int64{1, 403}, 403, 10, 403},
		"one has paused, three play":    {[]int64{1, 402, 403, 405}, 1, 10, 402},
		"two are not enough to go back": {[]int64{1, 403, 404}, 1, 10, 1},
		"all fits":                      {[]int64{3, 80}, 1, 100, 3},
		"it seeks back":                 {[]int64{5}, 400, 10, 5},
	} {
		if got := schedule.Crowd(tt.next, tt.last, tt.span); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}

// TestCrowdIsCalm: while no viewer moves, what is chosen does not change a second time.
func TestCrowdIsCalm(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		next := make([]int64, r.IntN(12))
		for i := range next {
			next[i] = r.Int64N(60)
		}
		slices.Sort(next)
		span := 1 + r.Int64N(20)
		chosen := schedule.Crowd(next, r.Int64N(60), span)
		if again := schedule.Crowd(next, chosen, span); again != chosen {
			t.Fatalf("%v, span %d: %d and then %d", next, span, chosen, again)
		}
	}
}
