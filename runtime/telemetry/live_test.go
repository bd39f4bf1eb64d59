package telemetry

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Counts that are kept must be those of a walk over all sessions, whatever happens in which order.
func TestLiveSessionsAreCountedAsTheyAre(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := NewAggregate(Config{MaxSessions: 40, Lifetime: 10 * time.Minute}, now)
	sequence := map[string]int64{}
	for step := range 4000 {
		now = now.Add(time.Duration(rnd.Int64N(int64(3 * time.Second))))
		if rnd.IntN(200) == 0 {
			now = now.Add(time.Duration(rnd.Int64N(int64(2 * time.Minute))))
		}
		key := fmt.Sprint("s", rnd.IntN(60))
		sequence[key]++
		from := Sender{Key: key, Stream: "s", Site: fmt.Sprint("site", rnd.IntN(3)), Role: RoleViewer, Began: now.Add(-time.Second),
			Interval: []time.Duration{0, 20 * time.Second, time.Minute}[rnd.IntN(3)]}
		if rnd.IntN(5) == 0 {
			from.Vouched = now
		}
		// A report that is refused must change nothing, either.
		_, _ = a.Accept(from, Report{Version: 1, Sequence: sequence[key], Role: RoleViewer, Peers: rnd.IntN(9)}, now)
		if step%7 != 0 {
			continue
		}
		type counts struct{ sessions, peers int }
		want := map[*group]counts{}
		a.forget(now, a.cfg.MaxSessions)
		for _, id := range a.records.byKey {
			if s := a.records.at(id); !s.is(vouched) && s.live(a.clock(now)) {
				n := want[s.group]
				want[s.group] = counts{n.sessions + 1, n.peers + int(s.peers)}
			}
		}
		all := counts{}
		for _, g := range a.Summary(now).Groups {
			n := want[a.groups[g.GroupKey]]
			if g.Reporting != n.sessions || g.Peers != n.peers {
				t.Fatalf("step %d: %v has %d sessions and %d peers, want %v", step, g.GroupKey, g.Reporting, g.Peers, n)
			}
			all = counts{all.sessions + n.sessions, all.peers + n.peers}
		}
		if sessions, peers := a.Reporting("s", RoleViewer, now); sessions != all.sessions || peers != all.peers {
			t.Fatalf("step %d: %d sessions and %d peers, want %v", step, sessions, peers, all)
		}
	}
	queued := 0
	for _, sessions := range a.due {
		queued += len(sessions)
	}
	if queued > 2*len(sequence) {
		t.Errorf("%d sessions wait, of %d", queued, len(sequence))
	}
}
