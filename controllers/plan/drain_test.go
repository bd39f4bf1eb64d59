package plan

import (
	"testing"
	"time"
)

// TestGracePeriodIsLongerThanAnyDrain: the kubelet must not kill a program before its drain has ended. The work after
// the drain (last reports, last requests, closing connections) takes at most three seconds.
func TestGracePeriodIsLongerThanAnyDrain(t *testing.T) {
	t.Parallel()
	for name, drain := range map[string]time.Duration{ComponentSeeder: drainSeeder, ComponentTracker: drainTracker, ComponentSTUN: drainSTUN} {
		if most := time.Duration(gracePeriod)*time.Second - 3*time.Second; drain <= 0 || drain > most {
			t.Errorf("%s drains for %v, the grace period allows for %v", name, drain, most)
		}
	}
}
