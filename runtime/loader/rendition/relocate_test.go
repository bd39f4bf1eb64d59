package rendition

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestPeersThatAreSomewhereElse: what the tracker says after a viewer has connected counts from the next segment on.
func TestPeersThatAreSomewhereElse(t *testing.T) {
	r := liveSeeder(t, superseed.Auto)
	var all []*listening
	for n := range 4 {
		_, c := member(t, r, n, identity.V23, signaling.Origin{Site: "berlin"}, 109)
		all = append(all, c)
	}
	now := time.Now().Add(time.Minute)
	chosen := func(n int64) (index int) {
		t.Helper()
		index = -1
		for i, c := range all {
			if loaded, _ := offeredTo(r, n, identity.V23, c); loaded == 1 {
				if index >= 0 {
					t.Fatal("two viewers are offered a segment")
				}
				index = i
			}
		}
		return index
	}
	// Each of them becomes the only gateway once.
	for i := range all {
		for j, c := range all {
			c.move(signaling.Origin{Site: "berlin", Gateway: i == j})
		}
		now = now.Add(4 * time.Second)
		next := publish(t, r, now)
		if got := chosen(next); got != i {
			t.Errorf("viewer %d is offered the segment, the gateway is %d", got, i)
		}
		for _, s := range r.sessions { // all get it, so that none is known to be late
			announce(t, s, r.core.ExternalID(next, identity.V23))
		}
		spreadPass(r, now.Add(time.Second))
	}
	// One in another site gets its own, and one in no site is held nothing back from.
	all[1].move(signaling.Origin{Site: "paris"})
	all[2].move(signaling.Origin{})
	now = now.Add(4 * time.Second)
	next := publish(t, r, now)
	if loaded, _ := offeredTo(r, next, identity.V23, all[1], all[2]); loaded != 2 {
		t.Errorf("%d of two are offered the segment", loaded)
	}
	if loaded, waiting := offeredTo(r, next, identity.V23, all[0], all[3]); loaded != 1 || waiting != 1 {
		t.Errorf("of those that stayed %d are offered the segment", loaded)
	}
	if n := len(r.announcer.listeners); n != 3 || len(r.announcer.sessions) != n {
		t.Errorf("%d listeners, %d sessions", n, len(r.announcer.sessions))
	}
	// It comes back.
	all[2].move(signaling.Origin{Site: "paris"})
	now = now.Add(4 * time.Second)
	next = publish(t, r, now)
	if loaded, waiting := offeredTo(r, next, identity.V23, all[1], all[2]); loaded != 1 || waiting != 1 {
		t.Errorf("in the other site %d are offered the segment, %d wait", loaded, waiting)
	}
	for _, s := range r.sessions {
		r.announcer.leaves(s)
	}
	if stats := r.announcer.state.Stats(now); stats.Groups != 0 || stats.HeldBack != 0 {
		t.Errorf("%+v is left", stats)
	}
}
