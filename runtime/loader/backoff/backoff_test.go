package backoff

import (
	"math"
	"testing"
	"time"
)

func TestBackoffDoublesWithJitterUpToItsLimit(t *testing.T) {
	b := New(100*time.Millisecond, time.Second)
	for range 2 {
		for _, ms := range []int{100, 200, 400, 800, 1000, 1000} {
			most := time.Duration(ms) * time.Millisecond
			if got := b.Next(); got < most/2 || got > most {
				t.Errorf("step = %s, want %s to %s", got, most/2, most)
			}
		}
		b.Reset()
	}
}

func TestDoubled(t *testing.T) {
	for failures, want := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: 2 * time.Second, 4: 16 * time.Second, 5: 30 * time.Second, math.MaxInt: 30 * time.Second,
	} {
		if got := Doubled(time.Second, 30*time.Second, failures); got != want {
			t.Errorf("after %d failures %s, want %s", failures, got, want)
		}
	}
}
