package backoff

import (
	"testing"
	"time"
)

func TestBackoffDoublesWithJitterUpToItsLimit(t *testing.T) {
	b := New(100*time.Millisecond, time.Second)
	for _, ms := range []int{100, 200, 400, 800, 1000, 1000} {
		most := time.Duration(ms) * time.Millisecond
		if got := b.step(); got < most/2 || got > most {
			t.Errorf("step = %s, want %s to %s", got, most/2, most)
		}
	}
}
