package schedule_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// TestWhatCouldNotBeCheckedIsAskedOfOthers: two connections to one viewer would take turns without end.
func TestWhatCouldNotBeCheckedIsAskedOfOthers(t *testing.T) {
	const lead = 3 // segments before the one that could not be checked, which are held
	for name, test := range map[string]struct {
		unproven int
		peers    []schedule.Peer
		want     []schedule.Action
	}{
		"never: a viewer":       {0, []schedule.Peer{{Holds: holds(103)}, {Seeder: true, Holds: holds(103)}}, []schedule.Action{request(lead, 0)}},
		"once: a seeder":        {1, []schedule.Peer{{Holds: holds(103)}, {Seeder: true, Holds: holds(103)}}, []schedule.Action{request(lead, 1)}},
		"once, no seeder":       {1, []schedule.Peer{{Holds: holds(103)}, {Holds: holds(103)}}, []schedule.Action{fetch(lead)}},
		"a seeder fetches it":   {1, []schedule.Peer{{Holds: holds(103)}, {Seeder: true, Holds: loads(103)}}, nil},
		"twice":                 {2, []schedule.Peer{{Holds: holds(103)}, {Seeder: true, Holds: holds(103)}}, []schedule.Action{fetch(lead)}},
		"never, a viewer waits": {0, []schedule.Peer{{Busy: true, Holds: holds(103)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := view(func(v *schedule.View) {
				v.Peers = test.peers
				v.Lottery = func(int64) float64 { return 1 }
				for i := range v.Segments {
					v.Segments[i].State = schedule.Held
				}
				v.Segments[lead].State, v.Segments[lead].Unproven = schedule.Missing, test.unproven
			})
			if d := cmp.Diff(test.want, schedule.Viewer(v)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}
