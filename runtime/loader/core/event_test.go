package core

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// TestANewEventIsApartFromTheOldSwarms: nothing is announced or asked of peers before the new swarms are joined. Where the swarms
// stay, so do the peers.
func TestANewEventIsApartFromTheOldSwarms(t *testing.T) {
	for _, leaves := range []bool{true, false} {
		r := idle(t, 0, 4)
		r.d.newSwarms = leaves
		p, now := connect(r), time.Now()
		r.Complete(r.table.order[0], r.fresh(10), true, now)
		next := playlistOf(0, 3)
		next.Restarted = true
		r.Merge(next, now)
		if r.table.order[0].Held() || r.stored().Stats().Segments > 0 {
			t.Errorf("leaves %v: a segment of the old event is held", leaves)
		}
		r.Complete(r.table.order[0], r.fresh(10), true, now)
		if r.Silent() != leaves || (len(r.peers) == 0) != leaves || (r.standing[p] == nil) != leaves || r.joinedAt.After(now) != leaves {
			t.Errorf("leaves %v: silent %v, %d peers, joined %v", leaves, r.Silent(), len(r.peers), r.joinedAt.Sub(now))
		}
		if got := r.Announced(r.table.order[0], identity.V23); (got == schedule.Absent) != leaves {
			t.Errorf("leaves %v: announced as %v", leaves, got)
		}
		r.Counted(Census{Peers: 3, Known: true})
		r.Changed = false
		r.Joined(now)
		if r.Silent() || r.Announced(r.table.order[0], identity.V23) != schedule.Loaded || !r.Changed || r.census.Known {
			t.Errorf("leaves %v: it is not shared in the new swarms", leaves)
		}
	}
}
