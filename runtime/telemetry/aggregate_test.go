package telemetry

import (
	"fmt"
	"testing"
	"time"
)

// step is one report to an aggregate.
type step struct {
	key   string
	began time.Duration // issue time of the session relative to boot
	at    time.Duration // when the report arrives
	r     Report
	want  Reason
	delta int64 // HTTP bytes added
}

func viewer(sequence, http int64) Report {
	return Report{Version: 1, Sequence: sequence, Role: RoleViewer, Counters: Counters{HTTP: http}}
}

func withBase(r Report, http int64) Report {
	r.Base = &Counters{HTTP: http}
	return r
}

func TestAccept(t *testing.T) {
	const mb = 1 << 20
	s := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	tests := []struct {
		name  string
		cfg   Config
		steps []step
		total int64
	}{
		{"grows", Config{}, []step{
			{"a", s(1), s(5), viewer(1, 100), "", 100}, {"a", s(1), s(10), viewer(2, 250), "", 150},
		}, 250},
		{"replayed", Config{}, []step{
			{"a", s(1), s(5), viewer(1, 100), "", 100}, {"a", s(1), s(6), viewer(1, 100), Replayed, 0},
			{"a", s(1), s(7), viewer(1, 999), Replayed, 0}, {"a", s(1), s(10), viewer(2, 250), "", 150},
		}, 250},
		{"out of order", Config{}, []step{
			{"a", s(1), s(5), viewer(3, 300), "", 300}, {"a", s(1), s(6), viewer(2, 200), OutOfOrder, 0},
		}, 300},
		{"lost reports lose nothing", Config{}, []step{
			{"a", s(1), s(5), viewer(1, 100), "", 100}, {"a", s(1), s(50), viewer(9, 900), "", 800},
		}, 900},
		{"decreasing", Config{}, []step{
			{"a", s(1), s(5), viewer(1, 100), "", 100}, {"a", s(1), s(10), viewer(2, 99), Decreasing, 0},
			{"a", s(1), s(15), viewer(3, 110), "", 10},
		}, 110},
		{"too much at first", Config{BurstBytes: mb, MaxBitsPerSecond: 8 * mb}, []step{
			{"a", s(0), s(5), viewer(1, 6*mb+1), TooMuch, 0}, {"a", s(0), s(5), viewer(1, 6*mb), "", 6 * mb},
		}, 6 * mb},
		{"too much later", Config{BurstBytes: mb, MaxBitsPerSecond: 8 * mb}, []step{
			{"a", s(0), s(5), viewer(1, 0), "", 0}, {"a", s(0), s(10), viewer(2, 6*mb+1), TooMuch, 0},
			{"a", s(0), s(20), viewer(3, 16*mb), "", 16 * mb},
		}, 16 * mb},
		{"the burst is granted once", Config{BurstBytes: mb, MaxBitsPerSecond: 8 * mb}, []step{
			{"a", s(0), s(5), viewer(1, 6*mb), "", 6 * mb}, {"a", s(0), s(10), viewer(2, 11*mb+1), TooMuch, 0},
			{"a", s(0), s(10), viewer(3, 11*mb), "", 5 * mb},
		}, 11 * mb},
		{"too often", Config{ReportBurst: 2}, []step{
			{"a", s(0), s(1), viewer(1, 1), "", 1}, {"a", s(0), s(1), viewer(2, 2), "", 1},
			{"a", s(0), s(1.1), viewer(3, 3), TooOften, 0}, {"a", s(0), s(4), viewer(4, 4), "", 2},
		}, 4},
		{"after a restart: base", Config{}, []step{
			{"a", s(-100), s(3), withBase(viewer(20, 1000), 900), "", 100}, {"a", s(-100), s(8), withBase(viewer(21, 1200), 900), "", 200},
		}, 300},
		{"after a restart: no base is a baseline", Config{}, []step{
			{"a", s(-100), s(3), viewer(20, 1000), "", 0}, {"a", s(-100), s(8), viewer(21, 1200), "", 200},
		}, 200},
		{"after a restart: never reported before", Config{}, []step{
			{"a", s(-3), s(2), viewer(1, 70), "", 70},
		}, 70},
		{"began in this boot, first reports lost", Config{}, []step{
			{"a", s(1), s(30), viewer(5, 500), "", 500},
		}, 500},
		{"forgotten for want of room", Config{MaxSessions: 1}, []step{
			{"a", s(1), s(5), viewer(1, 100), "", 100}, {"b", s(2), s(6), viewer(1, 10), "", 10},
			{"a", s(1), s(10), viewer(2, 130), "", 0},              // may have been counted: a baseline
			{"b", s(2), s(11), withBase(viewer(2, 15), 10), "", 5}, // says what was counted
		}, 115},
		{"clock goes back", Config{}, []step{
			{"a", s(1), s(5), viewer(1, 100), "", 100}, {"a", s(1), s(4), viewer(2, 150), "", 50},
		}, 150},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := NewAggregate(tt.cfg, start)
			refused := map[Reason]int64{}
			var end time.Time
			for i, st := range tt.steps {
				end = start.Add(st.at)
				before := a.Summary(end).Stream("s", RoleViewer)
				res, err := a.Accept(Sender{Key: st.key, Stream: "s", Role: RoleViewer, Began: start.Add(st.began)}, st.r, end)
				if got := reasonOf(t, err); got != st.want {
					t.Fatalf("step %d: reason %q, want %q (%v)", i, got, st.want, err)
				}
				if res.Delta.HTTP != st.delta {
					t.Fatalf("step %d: delta %d, want %d", i, res.Delta.HTTP, st.delta)
				}
				if err != nil {
					refused[st.want]++
					if after := a.Summary(end).Stream("s", RoleViewer); after.Totals != before.Totals {
						t.Fatalf("step %d: a refused report had an effect", i)
					}
				}
			}
			sum := a.Summary(end)
			if got := sum.Stream("s", RoleViewer).Totals.HTTP; got != tt.total {
				t.Fatalf("total %d, want %d", got, tt.total)
			}
			for reason, n := range refused {
				if sum.Refused[reason] != n {
					t.Fatalf("refused %v, want %v", sum.Refused, refused)
				}
			}
		})
	}
}

func TestLiveAndTotals(t *testing.T) {
	a := NewAggregate(Config{Lifetime: time.Hour}, start)
	accept := func(key, site string, role Role, at time.Duration, r Report) Result {
		t.Helper()
		r.Role = role
		res, err := a.Accept(Sender{Key: key, Stream: "s", Site: site, Role: role, Began: start}, r, start.Add(at))
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	r := Report{Version: 1, Sequence: 1, Peers: 3, Stalls: 1, StallMs: 200, StartupMs: 400,
		Counters: Counters{HTTP: 100, Seeder: 250, Viewer: 50, Discarded: 10, Uploaded: 5}}
	if res := accept("a", "berlin", RoleViewer, time.Second, r); res.Startup != 400 || res.Stalls != 1 || !res.First {
		t.Fatalf("result %+v", res)
	}
	accept("b", "rome", RoleViewer, 2*time.Second, Report{Version: 1, Sequence: 1, Counters: Counters{HTTP: 600}})
	accept("a", "", RoleSeeder, 3*time.Second, Report{Version: 1, Sequence: 1, Counters: Counters{HTTP: 1000, Uploaded: 900},
		Seeder: &SeederState{Renditions: []HeldRendition{{Name: "720p", HeldEdge: 17, Segments: 5}}, Peers: 2, MaxPeers: 10}})

	sum := a.Summary(start.Add(4 * time.Second))
	v := sum.Stream("s", RoleViewer)
	if v.Reporting != 2 || v.Peers != 3 || v.Totals.HTTP != 700 || v.Window.HTTP != 700 || v.Stalls != 1 {
		t.Fatalf("viewers %+v", v)
	}
	if f, ok := v.Totals.Offload(); !ok || f != 0.3 {
		t.Fatalf("offload %v %v", f, ok)
	}
	if len(sum.Groups) != 3 || len(sum.Seeders) != 1 || !sum.Seeders[0].Fresh || sum.Seeders[0].State.Renditions[0].HeldEdge != 17 {
		t.Fatalf("summary %+v", sum)
	}
	// Silent for more than three intervals: no session is live, the bytes stay; after the window has passed, it is empty.
	sum = a.Summary(start.Add(20 * time.Second))
	v = sum.Stream("s", RoleViewer)
	if v.Reporting != 0 || v.Totals.HTTP != 700 || v.Window.HTTP != 700 || sum.Seeders[0].Fresh {
		t.Fatalf("silent %+v", sum)
	}
	sum = a.Summary(start.Add(2 * time.Minute))
	if v = sum.Stream("s", RoleViewer); v.Window.HTTP != 0 || v.Totals.HTTP != 700 {
		t.Fatalf("window %+v", v)
	}
	sum = a.Summary(start.Add(3 * time.Hour))
	if sum.Sessions != 0 || sum.Evicted != 3 || len(sum.Seeders) != 0 || sum.Stream("s", RoleViewer).Totals.HTTP != 700 {
		t.Fatalf("forgotten %+v", sum)
	}
}

func TestWindowTakesItsShareOfALongGap(t *testing.T) {
	a := NewAggregate(Config{}, start)
	from := Sender{Key: "a", Stream: "s", Role: RoleViewer, Began: start}
	for i, at := range []time.Duration{0, 10 * time.Minute} {
		if _, err := a.Accept(from, viewer(int64(i+1), int64(i)*600), start.Add(at)); err != nil {
			t.Fatal(err)
		}
	}
	g := a.Summary(start.Add(10*time.Minute)).Stream("s", RoleViewer)
	if g.Window.HTTP != 60 || g.Totals.HTTP != 600 {
		t.Fatalf("window %d, total %d; want a minute of ten", g.Window.HTTP, g.Totals.HTTP)
	}
}

func TestGroupsAreBounded(t *testing.T) {
	a := NewAggregate(Config{MaxGroups: 4}, start)
	for i := range 50 {
		from := Sender{Key: fmt.Sprint(i), Stream: "s", Site: fmt.Sprint(i), Role: RoleViewer, Began: start}
		if _, err := a.Accept(from, viewer(1, 1), start); err != nil {
			t.Fatal(err)
		}
	}
	sum := a.Summary(start)
	if len(sum.Groups) > 5 || sum.Stream("s", RoleViewer).Totals.HTTP != 50 {
		t.Fatalf("%d groups, total %d", len(sum.Groups), sum.Stream("s", RoleViewer).Totals.HTTP)
	}
}

func TestRoleIsProven(t *testing.T) {
	a := NewAggregate(Config{}, start)
	_, err := a.Accept(Sender{Key: "a", Role: RoleSeeder}, viewer(1, 1), start)
	if got := reasonOf(t, err); got != Unauthorized {
		t.Fatalf("reason %q", got)
	}
}

// TestRestartsLoseAndDoubleNothing plays a session against trackers that restart, with a consumer that polls.
func TestRestartsLoseAndDoubleNothing(t *testing.T) {
	var consumer Accumulator
	var base *Counters
	var sequence, cumulative, last int64
	began := start
	now := start
	for boot := range 5 {
		a := NewAggregate(Config{}, now)
		name := fmt.Sprint("boot", boot)
		for range 6 {
			now = now.Add(5 * time.Second)
			cumulative += 1000
			sequence++
			r := viewer(sequence, cumulative)
			r.Base = base
			if sequence%4 == 0 {
				continue // lost on the way
			}
			res, err := a.Accept(Sender{Key: "a", Stream: "s", Role: RoleViewer, Began: began}, r, now)
			if err != nil {
				t.Fatal(err)
			}
			base = &res.Acked
			total := consumer.Observe(name, 0, a.Summary(now).Stream("s", RoleViewer).Totals)
			if total.HTTP != cumulative || total.HTTP < last {
				t.Fatalf("boot %d: total %d, want %d", boot, total.HTTP, cumulative)
			}
			last = total.HTTP
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	const sessions = 10_000
	a := NewAggregate(Config{}, start)
	keys := make([]string, sessions)
	for i := range keys {
		keys[i] = fmt.Sprintf("session-%06d", i)
	}
	b.ReportAllocs()
	var n int64
	for b.Loop() {
		round := n / sessions
		from := Sender{Key: keys[n%sessions], Stream: "s", Role: RoleViewer, Began: start}
		if _, err := a.Accept(from, viewer(round+1, round*1000), start.Add(time.Duration(round)*5*time.Second)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkSummary(b *testing.B) {
	a := NewAggregate(Config{}, start)
	for i := range 10_000 {
		from := Sender{Key: fmt.Sprint(i), Stream: "s", Role: RoleViewer, Began: start}
		if _, err := a.Accept(from, viewer(1, 1), start); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		a.Summary(start)
	}
}
