package schedule_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// TestPrefetchesHoldUpNothingUrgent has requests for later segments fill the slots while a seeder with the next one is free.
func TestPrefetchesHoldUpNothingUrgent(t *testing.T) {
	busy := func(n int) schedule.View {
		v := view(nil)
		v.Limits.PeerSlots = n
		for i := range n {
			v.Peers = append(v.Peers, schedule.Peer{Busy: true, Holds: holds()})
			v.Segments[5-i].State = schedule.Requested
			v.Segments[5-i].Flight = schedule.Flight{Peer: i, Since: epoch, LastBytes: epoch, Remaining: -1}
		}
		v.Peers = append(v.Peers, schedule.Peer{Seeder: true, Holds: holds(100, 101)}, schedule.Peer{Seeder: true, Holds: holds(100, 101)})
		return v
	}
	v := busy(3)
	if diff := cmp.Diff([]schedule.Action{request(0, 3)}, schedule.Viewer(v)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// What is urgent has as many slots, and no more.
	v = busy(1)
	v.Limits.Urgent = 10 * sec
	if diff := cmp.Diff([]schedule.Action{request(0, 1), fetch(1), fetch(2)}, schedule.Viewer(v)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	v.Segments[0].State = schedule.Requested
	v.Segments[0].Flight = schedule.Flight{Peer: 1, Since: epoch, LastBytes: epoch, Remaining: -1}
	v.Peers[1].Busy = true
	if diff := cmp.Diff([]schedule.Action{fetch(1), fetch(2)}, schedule.Viewer(v)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
