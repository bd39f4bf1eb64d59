package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

const patience = 1500 * time.Millisecond

// wanted has the segments of view and players that ask by themselves.
func wanted(change func(*schedule.DemandView)) schedule.DemandView {
	v := view(nil)
	d := schedule.DemandView{Now: epoch, Segments: v.Segments, Limits: v.Limits, Patience: patience}
	if change != nil {
		change(&d)
	}
	return d
}

func TestDemand(t *testing.T) {
	soon := 3*sec + 1 // never urgent before it is asked for
	for name, tt := range map[string]struct {
		change func(*schedule.DemandView)
		want   []schedule.Need
	}{
		"no player": {want: []schedule.Need{}},
		"a player that has nothing waits: urgent at once": {
			func(v *schedule.DemandView) { v.Waits = []schedule.Wait{{Segment: 2, Since: epoch, Dry: epoch}} },
			[]schedule.Need{{2, 0, true}},
		},
		"a player that has enough waits: as far off as the origin may be asked at all": {
			func(v *schedule.DemandView) {
				v.Waits = []schedule.Wait{{Segment: 2, Since: epoch, Dry: epoch.Add(10 * sec)}}
			},
			[]schedule.Need{{2, 12 * sec, true}},
		},
		"… nearer as it waits": {
			func(v *schedule.DemandView) {
				v.Waits = []schedule.Wait{{Segment: 2, Since: epoch.Add(-patience * 2 / 3), Dry: epoch.Add(10 * sec)}}
			},
			[]schedule.Need{{2, 6 * sec, true}},
		},
		"… urgent when patience is over": {
			func(v *schedule.DemandView) {
				v.Waits = []schedule.Wait{{Segment: 2, Since: epoch.Add(-patience), Dry: epoch.Add(10 * sec)}}
			},
			[]schedule.Need{{2, 3 * sec, true}},
		},
		"… and by how much": {
			func(v *schedule.DemandView) {
				v.Waits = []schedule.Wait{{Segment: 2, Since: epoch.Add(-4 * sec), Dry: epoch.Add(sec)}}
			},
			[]schedule.Need{{2, sec, true}},
		},
		"no patience with a player that has less than urgent": {
			func(v *schedule.DemandView) {
				v.Waits = []schedule.Wait{{Segment: 2, Since: epoch, Dry: epoch.Add(2 * sec)}}
			},
			[]schedule.Need{{2, 2 * sec, true}},
		},
		"two wait for one segment: the one in need counts": {
			func(v *schedule.DemandView) {
				v.Waits = []schedule.Wait{{Segment: 2, Since: epoch, Dry: epoch.Add(9 * sec)}, {Segment: 2, Since: epoch, Dry: epoch}}
			},
			[]schedule.Need{{2, 0, true}},
		},
		"ahead of a player's first segment: two more": {
			func(v *schedule.DemandView) {
				v.Heads = []schedule.Head{{Front: 0, Asked: 4 * sec, Dry: epoch.Add(4 * sec)}}
			},
			[]schedule.Need{{1, 4 * sec, false}, {2, 8 * sec, false}},
		},
		"ahead of a player that has played for long: all": {
			func(v *schedule.DemandView) {
				v.Heads = []schedule.Head{{Front: 1, Asked: 600 * sec, Dry: epoch}}
			},
			[]schedule.Need{{2, soon, false}, {3, 4 * sec, false}, {4, 8 * sec, false}, {5, 12 * sec, false}},
		},
		"a player that asks faster than it plays: the next one within reach of the origin": {
			func(v *schedule.DemandView) {
				v.Heads = []schedule.Head{{Front: 3, Asked: 16 * sec, Dry: epoch.Add(100 * sec)}}
			},
			[]schedule.Need{{4, 12 * sec, false}, {5, 16 * sec, false}},
		},
		"players at two places": {
			func(v *schedule.DemandView) {
				v.Heads = []schedule.Head{{Front: 4, Asked: 4 * sec, Dry: epoch.Add(5 * sec)}, {Front: 0, Asked: 4 * sec, Dry: epoch.Add(4 * sec)}}
			},
			[]schedule.Need{{1, 4 * sec, false}, {5, 5 * sec, false}, {2, 8 * sec, false}},
		},
		"places that are none": {
			func(v *schedule.DemandView) {
				v.Heads = []schedule.Head{{Front: -1, Asked: sec}, {Front: 6, Asked: sec}}
				v.Waits = []schedule.Wait{{Segment: -1}, {Segment: 6}}
			},
			[]schedule.Need{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, schedule.Demand(wanted(tt.change))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestViewerServesNeeds(t *testing.T) {
	for name, tt := range map[string]struct {
		needs []schedule.Need
		hold  func(int64) schedule.Holding
		want  []schedule.Action
	}{
		"none, whatever the playhead says": {[]schedule.Need{}, holds(100, 101), nil},
		"the soonest first, wherever it stands": {
			[]schedule.Need{{4, 0, false}, {1, 5 * sec, false}}, nil, []schedule.Action{fetch(4), fetch(1)},
		},
		"from a peer that holds it": {
			[]schedule.Need{{4, 0, false}, {1, 5 * sec, false}}, holds(101), []schedule.Action{fetch(4), request(1, 0)},
		},
		"a peer is loading it and there is time": {[]schedule.Need{{4, 5 * sec, false}}, loads(104), nil},
		"a peer is loading it and there is none": {[]schedule.Need{{4, 0, false}}, loads(104), []schedule.Action{fetch(4)}},
		"too far ahead even for peers":           {[]schedule.Need{{4, 90 * sec, false}}, holds(104), nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := view(nil)
			v.Needs = tt.needs
			v.Playhead = 2 * sec
			if tt.hold != nil {
				v.Peers = []schedule.Peer{{Holds: tt.hold}}
			}
			if diff := cmp.Diff(tt.want, schedule.Viewer(v)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDemandProperties draws players at random and checks what must always hold.
func TestDemandProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		v := wanted(nil)
		waits := map[int]bool{}
		for range r.IntN(5) {
			w := schedule.Wait{Segment: r.IntN(6), Since: epoch.Add(-time.Duration(r.IntN(3000)) * time.Millisecond)}
			w.Dry = w.Since.Add(time.Duration(r.IntN(20)-5) * sec)
			waits[w.Segment] = true
			v.Waits = append(v.Waits, w)
		}
		for range r.IntN(5) {
			v.Heads = append(v.Heads, schedule.Head{
				Front: r.IntN(6), Asked: time.Duration(r.IntN(60)) * sec, Dry: epoch.Add(time.Duration(r.IntN(40)-10) * sec),
			})
		}
		got := schedule.Demand(v)
		if got == nil {
			t.Fatal("nil means something else to Viewer")
		}
		seen := map[int]bool{}
		for i, n := range got {
			if seen[n.Segment] || (i > 0 && n.Lead < got[i-1].Lead) {
				t.Fatalf("needs %v", got)
			}
			seen[n.Segment] = true
			if n.Waited != waits[n.Segment] {
				t.Fatalf("segment %d: waited for is %v", n.Segment, n.Waited)
			}
			if n.Lead <= v.Limits.Urgent && !waits[n.Segment] {
				t.Fatalf("segment %d is urgent though no player waits for it", n.Segment)
			}
		}
		for s := range waits {
			if !seen[s] {
				t.Fatalf("segment %d is waited for and not needed", s)
			}
		}
	}
}
