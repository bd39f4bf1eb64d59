package core

import (
	"testing"
	"time"
)

// TestPeersThatDoNotDeliverAreAvoided for longer each time, and cut off in the end.
func TestPeersThatDoNotDeliverAreAvoided(t *testing.T) {
	r := idle(t, 100, 1)
	p := connect(r)
	now := time.Now()
	for i, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
		want := time.Duration(seconds) * time.Second
		r.blame(p, now)
		if got := r.standing[p].avoidUntil.Sub(now); got != want {
			t.Errorf("failure %d: avoided for %v, want %v", i+1, got, want)
		}
		if r.usable(p, now) || !r.usable(p, now.Add(want)) {
			t.Errorf("failure %d: usable too soon or too late", i+1)
		}
	}
	r.praise(p)
	if n := r.standing[p].failures; n != 3 || !r.usable(p, now) {
		t.Errorf("%d failures after a success", n)
	}
	if p.blamed != 7 || p.unreliable {
		t.Errorf("blamed %d times, unreliable: %v", p.blamed, p.unreliable)
	}
	for range unreliableAt {
		r.blame(p, now)
	}
	if !p.unreliable {
		t.Error("it is still relied on")
	}
}
