package core

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// gets has everything come that other seeders were asked for.
func (r *subject) gets(now time.Time) {
	for _, seg := range r.table.order {
		if seg.State == schedule.Requested {
			seg.From.(*fakePeer).flight = nil
			r.Complete(seg, []byte("x"), false, now)
		}
	}
}

// TestASeederComparesWhatOthersGive: the first segment and then one of many, as much for each number of seeders.
func TestASeederComparesWhatOthersGive(t *testing.T) {
	for _, mates := range []int{1, 3} {
		r := idle(t, 100, 100)
		r.Config.Seeder, r.Config.Alone = true, false
		r.d.own = "-PS0001-000000000000"
		r.joinedAt = time.Now()
		var held []int64
		for _, seg := range r.table.order {
			held = append(held, seg.Sequence)
		}
		for n := range mates {
			says(r.meetSeederOf(7+n, signaling.Origin{Shares: true}), held, nil)
		}
		for range 200 {
			r.pass(r.joinedAt)
			r.gets(r.joinedAt)
		}
		came := r.filling.given
		every := compareEvery * mates
		if want := (came + every - 1) / every; came < 50 || len(r.d.compared) != want {
			t.Errorf("%d of %d segments that %d seeders gave are compared, want %d", len(r.d.compared), came, mates, want)
		}
	}
}

// TestWhatIsNotCompared: what the origin gave, and at the edge nothing.
func TestWhatIsNotCompared(t *testing.T) {
	r := central(t)
	r.Counted(Census{Peers: 1, Known: true})
	r.pass(r.joinedAt)
	for _, f := range slices.Clone(r.d.running) {
		r.Fetched(f.seg, f.attempt, []byte("x"), 1, Failure{}, r.joinedAt)
	}
	if len(r.d.running) == 0 || len(r.d.compared) > 0 {
		t.Errorf("of %d segments from the origin %v are compared", len(r.d.running), r.d.compared)
	}
	edge := atEdge(t)
	says(edge.meetSeeder(1, false), []int64{100, 101, 102, 103, 104, 105}, nil)
	edge.pass(time.Now())
	edge.gets(time.Now())
	if edge.d.stored == 0 || len(edge.d.compared) > 0 {
		t.Errorf("of %d segments at the edge %v are compared", edge.d.stored, edge.d.compared)
	}
}
