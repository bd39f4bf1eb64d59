package superseed

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// The simulation has seeders, viewers and a virtual clock. Viewers load their playlist once in a target duration, ask for
// what is announced to them, other viewers first, and are told of nothing by magic: what a seeder offers is what Withheld
// leaves.
const (
	target   = 4 * time.Second
	step     = 50 * time.Millisecond
	transfer = 300 * time.Millisecond
)

type viewer struct {
	id        string
	phase     time.Duration // of its playlist loads
	joined    time.Duration
	gone      bool
	frozen    bool // it does nothing, and stays connected
	silent    bool // it announces nothing
	alone     bool // it cannot reach other viewers
	liar      bool // it announces every segment, and has none
	needs     int64
	sees      int64 // newest segment in its playlist
	have      map[int64]time.Duration
	busy      map[any]bool // sources of running downloads
	failures  map[*viewer]int
	lost      []time.Duration // when it gave up frozen sources
	member    []*Member       // at each seeder
	announced map[int64]bool
}

type download struct {
	v        *viewer
	sequence int64
	from     any // *viewer or seeder index
	until    time.Duration
}

type world struct {
	t         *testing.T
	r         *rand.Rand
	now       time.Duration
	seeders   []*State
	viewers   []*viewer
	downloads []download
	newest    int64
	born      map[int64]time.Duration
	copies    map[int64]int
	times     schedule.SpreadTimes
}

func newWorld(t *testing.T, seed uint64, seeders int) *world {
	w := &world{
		t: t, r: rand.New(rand.NewPCG(seed, 1)), newest: 99, born: map[int64]time.Duration{}, copies: map[int64]int{},
		times: schedule.SpreadFor(target, 10, false),
	}
	for range seeders {
		w.seeders = append(w.seeders, New())
	}
	for range 6 {
		w.publish()
	}
	return w
}

func (w *world) clock() time.Time { return time.Unix(1_700_000_000, 0).Add(w.now) }

func (w *world) publish() {
	w.newest++
	w.born[w.newest] = w.now
	var held []int64
	for n := max(100, w.newest-9); n <= w.newest; n++ {
		held = append(held, n)
	}
	for i, s := range w.seeders {
		s.SetTimes(w.times, w.times)
		for _, v := range w.viewers {
			if v.liar {
				v.announced[w.newest] = true
			}
		}
		s.SetWindow(held, func(m *Member, sequence int64) bool { return w.viewerOf(i, m).announced[sequence] }, w.clock())
	}
}

func (w *world) viewerOf(seeder int, m *Member) *viewer {
	for _, v := range w.viewers {
		if v.member[seeder] == m {
			return v
		}
	}
	return nil
}

func (w *world) join() *viewer {
	v := &viewer{
		id: fmt.Sprintf("-PM0203-%012d", w.r.IntN(1_000_000_000)), phase: time.Duration(w.r.Int64N(int64(target))), joined: w.now,
		have: map[int64]time.Duration{}, busy: map[any]bool{}, failures: map[*viewer]int{}, announced: map[int64]bool{}, sees: w.newest, needs: max(100, w.newest-3),
	}
	for _, s := range w.seeders {
		v.member = append(v.member, s.Join(Group{Site: "berlin"}, Peer{ID: v.id}, w.clock()))
	}
	w.viewers = append(w.viewers, v)
	return v
}

func (w *world) leave(v *viewer) {
	v.gone = true
	for i, s := range w.seeders {
		s.Leave(v.member[i])
	}
	w.viewers = slices.DeleteFunc(w.viewers, func(o *viewer) bool { return o == v })
}

func (w *world) run(d time.Duration, each func()) {
	for end := w.now + d; w.now < end; w.now += step {
		if each != nil {
			each()
		}
		if w.now%target == 0 && w.now > 0 {
			w.publish()
		}
		w.finish()
		for _, s := range w.seeders {
			s.Settle(w.clock())
			for _, m := range s.Changed() {
				s.Withheld(m, w.clock())
			}
		}
		for _, i := range w.r.Perm(len(w.viewers)) {
			w.act(w.viewers[i])
		}
	}
}

func (w *world) finish() {
	w.downloads = slices.DeleteFunc(w.downloads, func(d download) bool {
		source, fromViewer := d.from.(*viewer)
		switch {
		case d.v.gone, d.v.frozen, fromViewer && source.gone:
			delete(d.v.busy, d.from)
			return true
		case fromViewer && source.frozen:
			if w.now > d.until+silence {
				delete(d.v.busy, d.from)
				d.v.failures[source]++
				d.v.lost = append(d.v.lost, w.now)
				return true
			}
			return false
		case w.now < d.until:
			return false
		}
		delete(d.v.busy, d.from)
		d.v.have[d.sequence] = w.now
		if !d.v.silent {
			d.v.announced[d.sequence] = true
			for i, s := range w.seeders {
				s.Heard(d.v.member[i], func(n int64) bool { return d.v.announced[n] }, w.clock())
			}
		}
		return true
	})
}

func (w *world) act(v *viewer) {
	if v.frozen {
		return
	}
	if (w.now+v.phase)%target < step {
		v.sees = w.newest
	}
	for n := v.needs; n <= v.sees && len(v.busy) < 3; n++ {
		if _, has := v.have[n]; has || w.fetching(v, n) {
			continue
		}
		if from := w.source(v, n); from != nil {
			v.busy[from] = true
			w.downloads = append(w.downloads, download{v, n, from, w.now + transfer})
			if i, ok := from.(int); ok {
				w.copies[n]++
				w.seeders[i].Asked(v.member[i], n, w.clock())
			}
		}
	}
}

func (w *world) fetching(v *viewer, n int64) bool {
	return slices.ContainsFunc(w.downloads, func(d download) bool { return d.v == v && d.sequence == n })
}

// source is any viewer or seeder that offers a segment, at random as browsers choose.
func (w *world) source(v *viewer, n int64) any {
	var all []any
	for _, o := range w.viewers {
		if o != v && o.announced[n] && !v.alone && !o.alone && !v.busy[o] && v.failures[o] < 3 { // the library then closes the connection
			all = append(all, o)
		}
	}
	for i := range w.seeders {
		if !v.busy[i] && v.member[i].withheld&Bit(n) == 0 {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[w.r.IntN(len(all))]
}

// mean is how many copies of the segments born in [from, to) left the seeders.
func (w *world) mean(from, to time.Duration) float64 {
	sum, n := 0, 0
	for sequence, at := range w.born {
		if at >= from && at < to {
			sum += w.copies[sequence]
			n++
		}
	}
	return float64(sum) / float64(n)
}

// latest is the longest time between the birth of a segment, or the viewer's arrival, and its last byte; a viewer that can
// have a segment and still lacks it counts until now.
func (w *world) latest(from time.Duration, skip func(*viewer) bool) (worst time.Duration) {
	for _, v := range w.viewers {
		if skip != nil && skip(v) {
			continue
		}
		for n := v.needs; n <= v.sees; n++ {
			if w.born[n] < from {
				continue
			}
			got, has := v.have[n]
			if !has {
				got = w.now
			}
			since := max(w.born[n], v.joined)
			waited := got - since
			for _, at := range v.lost { // with frozen sources, of which seeders know nothing
				if at > since && at <= got {
					waited -= transfer + silence
				}
			}
			worst = max(worst, waited)
		}
	}
	return worst
}

// deadline is how late a segment may be: every viewer is told after times.All at the latest, sees it in its playlist within
// a target duration, and then gets it. latest leaves out what it loses with frozen sources.
func (w *world) deadline() time.Duration { return w.times.All + target + 2*transfer }

// silence is for how long a viewer waits for a source that sends nothing: the library's own timeout.
const silence = 2 * time.Second

func TestOneCopyForASite(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 30, 100} {
		for _, seeders := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%d viewers, %d seeders", n, seeders), func(t *testing.T) {
				w := newWorld(t, uint64(n), seeders)
				for range n {
					w.join()
					w.run(200*time.Millisecond, nil)
				}
				begin := w.now + 3*target
				w.run(30*target, nil)
				if got := w.mean(begin, w.now-2*target); got > 1.3 {
					t.Errorf("%.2f copies of a segment", got)
				} else {
					t.Logf("%.2f copies, latest %v", got, w.latest(begin, nil))
				}
				if got := w.latest(begin, nil); got > w.deadline() {
					t.Errorf("a viewer waited %v for a segment", got)
				}
			})
		}
	}
}

// TestNoViewerWaitsTooLong has viewers fail in every way at random.
func TestNoViewerWaitsTooLong(t *testing.T) {
	for seed := range uint64(60) {
		w := newWorld(t, seed, 1+int(seed%3))
		bad := func(v *viewer) bool { return v.frozen }
		w.run(40*target, func() {
			if len(w.viewers) < 12 && w.r.IntN(10) == 0 {
				v := w.join()
				v.silent, v.alone = w.r.IntN(8) == 0, w.r.IntN(8) == 0
			}
			if len(w.viewers) > 2 && w.r.IntN(60) == 0 {
				w.leave(w.viewers[w.r.IntN(len(w.viewers))])
			}
			if len(w.viewers) > 2 && w.r.IntN(100) == 0 {
				w.viewers[w.r.IntN(len(w.viewers))].frozen = true
			}
		})
		if got := w.latest(0, bad); got > w.deadline() {
			t.Errorf("seed %d: a viewer waited %v for a segment, at most %v are allowed", seed, got, w.deadline())
		}
		for i, s := range w.seeders {
			check(t, s, w.clock())
			for len(w.viewers) > 0 && i == len(w.seeders)-1 {
				w.leave(w.viewers[0])
			}
		}
		for _, s := range w.seeders {
			if st := s.Stats(w.clock()); st.Groups != 0 || st.HeldBack != 0 {
				t.Errorf("seed %d: %+v without viewers", seed, st)
			}
		}
	}
}

// check requires that sums agree with what they are sums of.
func check(t *testing.T, s *State, now time.Time) {
	t.Helper()
	held := 0
	for _, g := range s.groups {
		for _, m := range g.members {
			held += ones(m.withheld)
			if m.withheld&m.holds != 0 {
				t.Error("a segment is held back from a viewer that holds it")
			}
		}
		for sequence, p := range g.spreads {
			holders := 0
			for _, m := range g.members {
				if m.shares(Bit(sequence)) {
					holders++
				}
			}
			if holders != p.holders {
				t.Errorf("segment %d: %d holders, %d counted", sequence, holders, p.holders)
			}
		}
	}
	if st := s.Stats(now); st.HeldBack != held {
		t.Errorf("%d held back, %d counted", held, st.HeldBack)
	}
	if len(s.due) > 1000 {
		t.Errorf("%d timers", len(s.due))
	}
}

// TestAFrozenViewer stays connected and does nothing.
func TestAFrozenViewer(t *testing.T) {
	w := newWorld(t, 7, 2)
	for range 6 {
		w.join()
		w.run(200*time.Millisecond, nil)
	}
	w.run(5*target, nil)
	w.viewers[0].frozen, w.viewers[3].frozen = true, true
	begin := w.now
	w.run(20*target, nil)
	if got := w.latest(begin, func(v *viewer) bool { return v.frozen }); got > w.deadline() {
		t.Errorf("a viewer waited %v", got)
	}
	if got := w.mean(begin+4*target, w.now-2*target); got > 1.3 {
		t.Errorf("%.2f copies once the frozen ones are known", got)
	}
}

// TestAGroupThatCannotShare: no viewer reaches another one.
func TestAGroupThatCannotShare(t *testing.T) {
	w := newWorld(t, 8, 1)
	for range 5 {
		w.join().alone = true
		w.run(200*time.Millisecond, nil)
	}
	w.run(12*target, nil)
	if st := w.seeders[0].Stats(w.clock()); st.Off != 1 || st.GroupOff != 1 {
		t.Fatalf("the group is not off: %+v", st)
	}
	begin := w.now
	w.run(2*target, nil)
	if got := w.latest(begin, nil); got > target+2*transfer+step {
		t.Errorf("a viewer waited %v although nothing is held back", got)
	}
	for _, v := range w.viewers {
		v.alone = false
	}
	w.run(firstOff, nil)
	begin = w.now + 2*target
	w.run(12*target, nil)
	if got := w.mean(begin, w.now-2*target); got > 1.3 {
		t.Errorf("%.2f copies after the group could share again", got)
	}
}

// TestALiarDoesNotHoldUpItsSite for long.
func TestALiarDoesNotHoldUpItsSite(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { playLiar(t, seed) })
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

func playLiar(t *testing.T, seed uint64) {
	w := newWorld(t, seed, 2)
	for range 6 {
		w.join()
		w.run(200*time.Millisecond, nil)
	}
	w.run(5*target, nil)
	w.viewers[2].liar, w.viewers[2].frozen = true, true
	w.run(8*target, nil)
	given := 0 // when one seeder has given it up, the group shares, and the other one need not
	for i, s := range w.seeders {
		given += count(w.viewers[2].member[i].ignored())
		check(t, s, w.clock())
	}
	if given == 0 {
		t.Errorf("all seeders still wait for the liar: %+v", w.seeders[0].Stats(w.clock()))
	}
	begin := w.now + target // others have given it up by then
	w.run(6*target, nil)    // it is still ignored
	if got := w.mean(begin, w.now-2*target); got > 1.3 {
		t.Errorf("%.2f copies for the others", got)
	}
	if got := w.latest(begin, func(v *viewer) bool { return v.liar }); got > w.deadline() {
		t.Errorf("a viewer waited %v", got)
	}
}

// TestNewcomersTakeTheBacklogFromTheirSite: viewers arrive one after the other in a site that holds everything.
func TestNewcomersTakeTheBacklogFromTheirSite(t *testing.T) {
	w := newWorld(t, 9, 1)
	for range 3 {
		w.join()
		w.run(time.Second, nil)
	}
	w.run(5*target, nil)
	before := 0
	for _, n := range w.copies {
		before += n
	}
	published := w.newest
	const newcomers = 10
	for range newcomers {
		v := w.join()
		w.run(2*target, nil)
		if got := v.have[v.needs] - v.joined; len(v.have) < 4 || got > time.Second {
			t.Errorf("a newcomer has %d segments after two target durations, the first one after %v", len(v.have), got)
		}
	}
	after := -before
	for _, n := range w.copies {
		after += n
	}
	if extra := after - int(w.newest-published); extra > newcomers {
		t.Errorf("%d newcomers took %d segments beyond the new ones from the seeder", newcomers, extra)
	}
}

// TestTheFirstViewerStartsAtOnce: nothing is held back from it, and little from those who come with it.
func TestTheFirstViewerStartsAtOnce(t *testing.T) {
	w := newWorld(t, 10, 1)
	for range 3 {
		w.join()
	}
	w.run(step, nil)
	for _, v := range w.viewers {
		if len(w.downloads) < 3 || v.member[0].withheld&Bit(v.needs) != 0 && !v.busy[0] {
			t.Error("the first segment is held back")
		}
	}
	w.run(target/2, nil)
	for _, v := range w.viewers {
		if len(v.have) < 2 {
			t.Errorf("%d segments after half of a target duration", len(v.have))
		}
	}
}

// TestReceiveOnlyViewersAreNotChosen, even if they seem to hold segments.
func TestReceiveOnlyViewersAreNotChosen(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s := New()
	times := schedule.SpreadFor(target, 10, false)
	s.SetTimes(times, times)
	s.SetWindow([]int64{1, 2}, nil, now)
	for i := range 5 {
		m := s.Join(Group{}, Peer{ID: fmt.Sprint(i), ReceiveOnly: i > 0}, now)
		s.Heard(m, func(n int64) bool { return n == 1 }, now)
	}
	s.SetWindow([]int64{1, 2, 3}, func(*Member, int64) bool { return false }, now)
	s.Settle(now)
	for _, m := range s.Changed() {
		if got := s.Withheld(m, now)&Bit(3) != 0; got != m.peer.ReceiveOnly {
			t.Errorf("viewer %s: held back %v", m.peer.ID, got)
		}
	}
}
