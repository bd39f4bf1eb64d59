package schedule_test

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

func TestRelayed(t *testing.T) {
	l := schedule.Limits{Urgent: 3 * sec, HTTPAhead: 16 * sec, PeerAhead: time.Minute}
	for target, want := range map[time.Duration]time.Duration{
		0: 4 * sec, sec: 4 * sec, 4 * sec: 5 * sec, 6 * sec: 6 * sec, 60 * sec: 16 * sec,
	} {
		got := l.Relayed(target)
		if got.HTTPAhead != want {
			t.Errorf("segments of %v: the origin is asked %v ahead, want %v", target, got.HTTPAhead, want)
		}
		if got.HTTPAhead = l.HTTPAhead; got != l {
			t.Errorf("other limits changed: %+v", got)
		}
	}
}

// TestRelayedViewersSpread: when no peer brings a segment, the viewers of a site still take turns before it is urgent.
func TestRelayedViewersSpread(t *testing.T) {
	for lead, want := range map[time.Duration]bool{12 * sec: false, 5 * sec: false, 4500 * time.Millisecond: true} {
		v := view(func(v *schedule.View) {
			v.Limits = v.Limits.Relayed(4 * sec)
			v.Lottery = func(int64) float64 { return 0.75 } // of two seconds before the urgent three
			v.Peers = []schedule.Peer{{Holds: holds()}}
			v.Needs = []schedule.Need{{Segment: 3, Lead: lead}}
		})
		if got := len(schedule.Viewer(v)) == 1; got != want {
			t.Errorf("%v ahead the origin is asked: %v, want %v", lead, got, want)
		}
	}
}
