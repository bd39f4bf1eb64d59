package core

import (
	"fmt"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestAViewerOfASiteWaitsForItsGateways: no peer of a viewer that is no gateway announces a new segment until a gateway has
// it. Where seeders hold the stream, the viewer does not ask the origin meanwhile.
func TestAViewerOfASiteWaitsForItsGateways(t *testing.T) {
	const viewers, newest = 40, 103 // the newest segment is played in 12 s
	for name, tt := range map[string]struct {
		near, hold bool
		ask        bool // some viewers ask the origin at once
	}{
		"in a site, with seeders":    {true, true, false},
		"in a site, without seeders": {true, false, true},
		"outside of sites":           {false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			for n := range viewers {
				r := idle(t, 100, 4)
				for i, seg := range r.table.order {
					seg.Start = time.Duration(i) * seg.Duration
				}
				r.Config.Seed, r.Config.SeedersHold = uint64(n), tt.hold
				r.Config.Alone = false
				s := connect(r)
				s.id, s.origin = identity.PeerID(fmt.Sprintf("-PE0001-%012d", n)), signaling.Origin{Near: tt.near}
				says(s, []int64{100, 101, 102}, nil)
				now := time.Now()
				r.view(now)
				r.view(now.Add(500 * time.Millisecond)) // the first ones have their turn
				if r.table.bySeq[newest].State == schedule.Fetching {
					asked++
				}
			}
			if (asked > 0) != tt.ask || asked > viewers/2 {
				t.Errorf("%d of %d viewers ask the origin for a new segment soon", asked, viewers)
			}
		})
	}
}
