package schedule_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// TestViewerGetsWhatStays has room for some segments only.
func TestViewerGetsWhatStays(t *testing.T) {
	for name, tt := range map[string]struct {
		fits   int // indices below it fit
		change func(*schedule.View)
		want   []schedule.Action
		asked  []int
	}{
		"all": {6, nil, []schedule.Action{request(0, 0)}, []int{0, 1, 2, 3, 4, 5}},
		"none behind what does not fit": {
			2, func(v *schedule.View) { v.Segments[0].State, v.Segments[1].State = schedule.Held, schedule.Held },
			nil, []int{2},
		},
		"nothing takes the room of what is not got yet": {
			1, func(v *schedule.View) { v.Peers[0].Holds = holds(101, 102) }, []schedule.Action{fetch(0)}, []int{0, 1},
		},
		"what runs goes on": {
			0, func(v *schedule.View) {
				v.Segments[0].State = schedule.Requested
				v.Segments[0].Flight = schedule.Flight{Since: epoch.Add(-sec)}
				v.Peers[0].Busy = true
			}, []schedule.Action{{Kind: schedule.Abandon, Segment: 0, Peer: 0}, fetch(0)}, []int{1},
		},
		"a player waits": {
			0, func(v *schedule.View) { v.Needs = []schedule.Need{{Segment: 1}, {Segment: 2, Waited: true}} },
			[]schedule.Action{request(2, 0)}, []int{1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := view(nil)
			v.Peers = []schedule.Peer{{Holds: holds(100, 101, 102)}}
			if tt.change != nil {
				tt.change(&v)
			}
			var asked []int
			v.Room = func(i int) bool { asked = append(asked, i); return i < tt.fits }
			if diff := cmp.Diff(tt.want, schedule.Viewer(v)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.asked, asked); diff != "" {
				t.Errorf("room: -want +got:\n%s", diff)
			}
		})
	}
}
