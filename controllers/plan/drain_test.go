package plan

import (
	"testing"
	"time"
)

// TestGracePeriodIsLongerThanAnyDrain: a program that the kubelet kills has not ended in order. What comes after the
// drain (last reports, last requests, closing connections) takes three seconds at most.
func TestGracePeriodIsLongerThanAnyDrain(t *testing.T) {
	t.Parallel()
	for name, drain := range map[string]time.Duration{ComponentSeeder: drainSeeder, ComponentTracker: drainTracker, ComponentSTUN: drainSTUN} {
		if most := time.Duration(gracePeriod)*time.Second - 3*time.Second; drain <= 0 || drain > most {
			t.Errorf("%s drains for %v, the grace period allows for %v", name, drain, most)
		}
	}
}
