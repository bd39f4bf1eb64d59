package telemetry

import (
	"testing"
	"time"
)

func TestNextReport(t *testing.T) {
	const interval, perSecond = 5 * time.Second, 2000
	for viewers, want := range map[int]time.Duration{
		-1: interval, 0: interval, 1: interval, 8_000: interval, 16_000: 10 * time.Second, 100_000: 62500 * time.Millisecond,
	} {
		if got := NextReport(viewers, interval, perSecond); got != want {
			t.Errorf("%d viewers: %v, want %v", viewers, got, want)
		}
	}
	for viewers := 1; viewers < 2_000_000; viewers = viewers*3 + 1 {
		next := NextReport(viewers, interval, perSecond)
		// Peers report up to a tenth earlier than they are told.
		if rate := float64(viewers) / (next.Seconds() * 0.9); rate >= perSecond {
			t.Errorf("%d viewers report %.0f times a second", viewers, rate)
		}
		if next < NextReport(viewers-1, interval, perSecond) {
			t.Errorf("%d viewers report more often than one viewer less", viewers)
		}
	}
	if got := NextReport(1_000_000, interval, 0); got != interval {
		t.Errorf("without a bound: %v", got)
	}
}
