package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const sec = time.Second

// view has six four-second segments, the playhead at 0 and no hope to wait for.
func view(change func(*schedule.View)) schedule.View {
	v := schedule.View{
		Now:     epoch,
		Lottery: func(int64) float64 { return 0 },
		Random:  func() float64 { return 0 },
		Limits: schedule.Limits{
			HTTPSlots: 2, PeerSlots: 3,
			Urgent: 3 * sec, HTTPAhead: 12 * sec, PeerAhead: 60 * sec, Patience: 500 * time.Millisecond,
		},
	}
	for i := range int64(6) {
		v.Segments = append(v.Segments, schedule.Segment{
			ID: 100 + i, Start: time.Duration(i) * 4 * sec, Duration: 4 * sec, NotFrom: -1,
		})
	}
	if change != nil {
		change(&v)
	}
	return v
}

func holds(ids ...int64) func(int64) schedule.Holding {
	return func(id int64) schedule.Holding {
		for _, h := range ids {
			if h == id {
				return schedule.Loaded
			}
		}
		return schedule.Absent
	}
}

func loads(ids ...int64) func(int64) schedule.Holding {
	inner := holds(ids...)
	return func(id int64) schedule.Holding {
		if inner(id) == schedule.Loaded {
			return schedule.Loading
		}
		return schedule.Absent
	}
}

func fetch(i int) schedule.Action { return schedule.Action{Kind: schedule.Fetch, Segment: i, Peer: -1} }
func request(i, peer int) schedule.Action {
	return schedule.Action{Kind: schedule.Request, Segment: i, Peer: peer}
}
func abandon(i, peer int) schedule.Action {
	return schedule.Action{Kind: schedule.Abandon, Segment: i, Peer: peer}
}

func TestViewer(t *testing.T) {
	all := []int64{100, 101, 102, 103, 104, 105}
	tests := map[string]struct {
		change func(*schedule.View)
		want   []schedule.Action
	}{
		"alone: the urgent segment and what the slots allow": {
			change: nil,
			want:   []schedule.Action{fetch(0), fetch(1)},
		},
		"alone but hoping for peers at start-up: nothing": {
			change: func(v *schedule.View) { v.WaitUntil = epoch.Add(sec) },
		},
		"hope is over at its very moment": {
			change: func(v *schedule.View) { v.WaitUntil = epoch },
			want:   []schedule.Action{fetch(0), fetch(1)},
		},
		"a little hope: what is urgent only": {
			change: func(v *schedule.View) { v.PrefetchFrom = epoch.Add(sec) },
			want:   []schedule.Action{fetch(0)},
		},
		"a seeder that holds all is asked first, one request a connection": {
			change: func(v *schedule.View) {
				v.Peers = []schedule.Peer{{Seeder: true, Holds: holds(all...)}}
				v.WaitUntil = epoch.Add(sec)
			},
			want: []schedule.Action{request(0, 0)},
		},
		"what no free peer holds and is not urgent waits": {
			change: func(v *schedule.View) {
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}}
				v.Segments[0].State = schedule.Held
			},
		},
		"urgent and the only holder is busy: the origin": {
			change: func(v *schedule.View) { v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}} },
			want:   []schedule.Action{fetch(0)},
		},
		"without hurry viewers come before seeders": {
			change: func(v *schedule.View) {
				v.Segments[0].State = schedule.Held
				v.Peers = []schedule.Peer{{Seeder: true, Holds: holds(all...)}, {Holds: holds(all...)}}
			},
			want: []schedule.Action{request(1, 1), request(2, 0)},
		},
		"a peer is fetching it: wait unless urgent": {
			change: func(v *schedule.View) {
				v.Segments[0].State = schedule.Held
				v.Peers = []schedule.Peer{{Holds: loads(all...)}}
				v.Lottery = func(int64) float64 { return 0.99 }
			},
		},
		"urgent although a peer is fetching it": {
			change: func(v *schedule.View) { v.Peers = []schedule.Peer{{Holds: loads(all...)}} },
			want:   []schedule.Action{fetch(0)},
		},
		"lottery: who drew high fetches early": {
			change: func(v *schedule.View) {
				v.Segments[0].State = schedule.Held
				v.Peers = []schedule.Peer{{Holds: holds()}}
				v.Lottery = func(id int64) float64 { return map[int64]float64{102: 0.9}[id] }
			},
			want: []schedule.Action{fetch(2)},
		},
		"a silent peer loses an urgent segment, bytes kept": {
			change: func(v *schedule.View) {
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}}
				v.Segments[0].State = schedule.Requested
				v.Segments[0].Flight = schedule.Flight{Since: epoch.Add(-sec), Remaining: -1}
			},
			want: []schedule.Action{abandon(0, 0), fetch(0)},
		},
		"a fast peer keeps an urgent segment": {
			change: func(v *schedule.View) {
				v.Playhead = sec
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}}
				v.Segments[0].State = schedule.Held
				v.Segments[1].State = schedule.Requested
				v.Segments[1].Flight = schedule.Flight{
					Since: epoch.Add(-sec), LastBytes: epoch, Received: 100, Remaining: 100,
				}
			},
		},
		"a peer too slow for an urgent segment loses it": {
			change: func(v *schedule.View) {
				v.Playhead = 2 * sec
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}}
				v.Segments[0].State = schedule.Held
				v.Segments[1].State = schedule.Requested
				v.Segments[1].Flight = schedule.Flight{
					Since: epoch.Add(-sec), LastBytes: epoch, Received: 100, Remaining: 900,
				}
			},
			want: []schedule.Action{abandon(1, 0), fetch(1)},
		},
		"a peer too slow for an urgent segment loses it to another while the origin is left alone": {
			change: func(v *schedule.View) {
				v.Playhead = 2 * sec
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}, {Holds: holds(101)}}
				v.Segments[0].State = schedule.Held
				v.Segments[1].State = schedule.Requested
				v.Segments[1].RetryAt = epoch.Add(sec)
				v.Segments[1].Flight = schedule.Flight{
					Since: epoch.Add(-sec), LastBytes: epoch, Received: 100, Remaining: 900,
				}
			},
			want: []schedule.Action{abandon(1, 0), request(1, 1)},
		},
		"a peer that would be at it for ever loses what is not urgent": {
			change: func(v *schedule.View) {
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}, {Holds: holds(102)}}
				v.Segments[0].State, v.Segments[1].State = schedule.Held, schedule.Held
				v.Segments[2].State = schedule.Requested
				v.Segments[2].Flight = schedule.Flight{
					Since: epoch.Add(-2 * sec), LastBytes: epoch, Received: 100, Remaining: 900,
				}
			},
			want: []schedule.Action{abandon(2, 0), request(2, 1)},
		},
		"a slow peer keeps what there is time for": {
			change: func(v *schedule.View) {
				v.Peers = []schedule.Peer{{Holds: holds(all...), Busy: true}, {Holds: holds(105)}}
				for i := range 5 {
					v.Segments[i].State = schedule.Held
				}
				v.Segments[5].State = schedule.Requested
				v.Segments[5].Flight = schedule.Flight{
					Since: epoch.Add(-2 * sec), LastBytes: epoch, Received: 200, Remaining: 900,
				}
			},
		},
		"an origin that crawls loses an urgent segment to a peer": {
			change: func(v *schedule.View) {
				v.Peers = []schedule.Peer{{Holds: holds(100)}}
				v.Segments[0].State = schedule.Fetching
				v.Segments[0].Flight = schedule.Flight{
					Since: epoch.Add(-2 * sec), LastBytes: epoch, Received: 2, Remaining: 90000,
				}
				v.WaitUntil = epoch.Add(sec)
			},
			want: []schedule.Action{abandon(0, -1), request(0, 0)},
		},
		"an origin that crawls is all there is": {
			change: func(v *schedule.View) {
				v.Segments[0].State = schedule.Fetching
				v.Segments[0].Flight = schedule.Flight{Since: epoch.Add(-2 * sec), Remaining: -1}
				v.WaitUntil = epoch.Add(sec)
			},
		},
		"the origin is left alone until its retry time": {
			change: func(v *schedule.View) {
				for i := range v.Segments {
					v.Segments[i].RetryAt = epoch.Add(sec)
				}
			},
		},
		"not twice in a row from the peer that failed": {
			change: func(v *schedule.View) {
				v.Segments[0].NotFrom = 0
				v.Peers = []schedule.Peer{{Holds: holds(100)}, {Holds: holds(100), Seeder: true}}
			},
			want: []schedule.Action{request(0, 1)},
		},
		"played segments are not fetched": {
			change: func(v *schedule.View) { v.Playhead = 20 * sec },
			want:   []schedule.Action{fetch(5)},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := schedule.Viewer(view(tt.change))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestViewerNeverBreaksItsLimits feeds random moments and checks what must
// hold in all of them.
func TestViewerNeverBreaksItsLimits(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		v := randomView(r)
		http, requests := 0, 0
		for _, s := range v.Segments {
			switch s.State {
			case schedule.Fetching:
				http++
			case schedule.Requested:
				requests++
			}
		}
		http0 := http
		asked := map[int]bool{}
		left := map[int]bool{}
		for _, a := range schedule.Viewer(v) {
			s := v.Segments[a.Segment]
			switch a.Kind {
			case schedule.Abandon:
				switch s.State {
				case schedule.Requested:
					requests--
				case schedule.Fetching:
					http--
				default:
					t.Fatalf("seed %d: abandons %v", seed, s.State)
				}
				left[a.Segment] = true
			case schedule.Fetch:
				http++
				if s.State == schedule.Held || s.State == schedule.Fetching || v.Now.Before(v.WaitUntil) {
					t.Fatalf("seed %d: fetches %v", seed, s.State)
				}
			case schedule.Request:
				requests++
				p := v.Peers[a.Peer]
				if p.Busy || asked[a.Peer] || p.Holds(s.ID) != schedule.Loaded || (s.State != schedule.Missing && !left[a.Segment]) {
					t.Fatalf("seed %d: bad request %+v", seed, a)
				}
				asked[a.Peer] = true
			}
		}
		if http > max(http0, v.Limits.HTTPSlots+1) || requests > max(v.Limits.PeerSlots, len(v.Segments)) {
			t.Fatalf("seed %d: %d fetches, %d requests", seed, http, requests)
		}
	}
}

func randomView(r *rand.Rand) schedule.View {
	v := view(nil)
	v.Random, v.Lottery = r.Float64, func(int64) float64 { return r.Float64() }
	v.Playhead = time.Duration(r.IntN(24)) * sec
	if r.IntN(4) == 0 {
		v.WaitUntil = v.Now.Add(sec)
	}
	for range r.IntN(6) {
		held := map[int64]schedule.Holding{}
		for id := range int64(6) {
			held[100+id] = schedule.Holding(r.IntN(3))
		}
		v.Peers = append(v.Peers, schedule.Peer{
			Seeder: r.IntN(2) == 0, Busy: r.IntN(3) == 0, Speed: float64(r.IntN(3)) * 1e6,
			Holds: func(id int64) schedule.Holding { return held[id] },
		})
	}
	for i := range v.Segments {
		s := &v.Segments[i]
		s.State = schedule.State(r.IntN(4))
		s.NotFrom = r.IntN(7) - 1
		s.Flight = schedule.Flight{
			Since:    v.Now.Add(-time.Duration(r.IntN(3000)) * time.Millisecond),
			Received: int64(r.IntN(1000)), Remaining: int64(r.IntN(1000)) - 10,
		}
	}
	return v
}

func TestSeeder(t *testing.T) {
	segments := func(states ...schedule.State) (out []schedule.Segment) {
		for i, s := range states {
			out = append(out, schedule.Segment{ID: int64(i), State: s})
		}
		return out
	}
	const m, h, f = schedule.Missing, schedule.Held, schedule.Fetching
	tests := map[string]struct {
		view schedule.SeederView
		want []int
	}{
		"live: newest, then the start of the window": {
			schedule.SeederView{Live: true, Slots: 3, Segments: segments(m, m, m, m)}, []int{3, 0, 1},
		},
		"live: slots in use count": {
			schedule.SeederView{Live: true, Slots: 2, Segments: segments(h, f, m, m)}, []int{3},
		},
		"VOD: from where viewers are, then the rest": {
			schedule.SeederView{Slots: 9, Wanted: 2, Segments: segments(m, m, m, h, m)}, []int{2, 4, 0, 1},
		},
		"nothing to do":  {schedule.SeederView{Live: true, Slots: 3, Segments: segments(h, h)}, nil},
		"empty playlist": {schedule.SeederView{Live: true, Slots: 3}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.view.Now = epoch
			if diff := cmp.Diff(tt.want, schedule.Seeder(tt.view)); diff != "" {
				t.Errorf("fetches (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSeederInALongPlaylist has eighty segments of 4 s, of which players begin in the last thirty.
func TestSeederInALongPlaylist(t *testing.T) {
	long := func(change func(*schedule.SeederView)) schedule.SeederView {
		v := schedule.SeederView{Now: epoch, Live: true, Slots: 4}
		for i := range int64(80) {
			v.Segments = append(v.Segments, schedule.Segment{ID: 100 + i, Start: time.Duration(i) * 4 * sec, Duration: 4 * sec})
		}
		change(&v)
		return v
	}
	hold := func(v *schedule.SeederView, from, to int) {
		for i := from; i < to; i++ {
			v.Segments[i].State = schedule.Held
		}
	}
	for name, tt := range map[string]struct {
		change func(*schedule.SeederView)
		want   []int
	}{
		"the newest, then where players begin": {func(*schedule.SeederView) {}, []int{79, 50, 51, 52}},
		"then the history, backwards":          {func(v *schedule.SeederView) { hold(v, 50, 80) }, []int{49, 48, 47, 46}},
		"what viewers play next comes before": {func(v *schedule.SeederView) {
			hold(v, 51, 79)
			v.Next = []int{7, 3}
		}, []int{79, 7, 3, 50}},
		"nothing twice": {func(v *schedule.SeederView) {
			hold(v, 48, 80)
			v.Next = []int{47, 47}
		}, []int{47, 46, 45, 44}},
		"as far as there is room": {func(v *schedule.SeederView) {
			hold(v, 50, 80)
			v.Room = func(i int) bool { return i >= 48 }
		}, []int{49, 48}},
		"not what had to make room": {func(v *schedule.SeederView) {
			hold(v, 50, 80)
			v.Floor = 148
		}, []int{49, 48}},
		"less room than players reach: the newest of it": {func(v *schedule.SeederView) {
			v.Room = func(i int) bool { return i >= 77 }
		}, []int{79, 77, 78}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, schedule.Seeder(long(tt.change))); diff != "" {
				t.Errorf("fetches (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeederWaitsForTheRetryTime(t *testing.T) {
	v := schedule.SeederView{Now: epoch, Live: true, Slots: 4, Segments: []schedule.Segment{{RetryAt: epoch.Add(sec)}}}
	if got := schedule.Seeder(v); got != nil {
		t.Errorf("fetches %v before the retry time", got)
	}
	v.Now = epoch.Add(sec)
	if got := schedule.Seeder(v); len(got) != 1 {
		t.Errorf("fetches %v at the retry time", got)
	}
}

func TestExpectedNext(t *testing.T) {
	for name, tt := range map[string]struct {
		after  time.Duration
		failed bool
		want   bool
	}{
		"right after the newest":      {0, false, true},
		"when due":                    {4 * sec, false, true},
		"a little late":               {7 * sec, false, true},
		"one target duration late":    {8 * sec, false, false},
		"after a failure, not at all": {sec, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := schedule.ExpectedNext(epoch, 4*sec, 4*sec, tt.failed, epoch.Add(tt.after)); got != tt.want {
				t.Errorf("= %v, want %v", got, tt.want)
			}
		})
	}
	if schedule.ExpectedNext(time.Time{}, 4*sec, 4*sec, false, epoch) {
		t.Error("expects a successor of nothing")
	}
}

func BenchmarkViewer(b *testing.B) {
	v := view(nil)
	v.Segments = v.Segments[:0]
	for i := range int64(30) {
		v.Segments = append(v.Segments, schedule.Segment{ID: i, Start: time.Duration(i) * 4 * sec, Duration: 4 * sec, NotFrom: -1})
	}
	for i := range 60 {
		held := map[int64]bool{}
		for id := range int64(30) {
			held[id] = (int(id)+i)%3 == 0
		}
		v.Peers = append(v.Peers, schedule.Peer{Speed: float64(i), Holds: func(id int64) schedule.Holding {
			if held[id] {
				return schedule.Loaded
			}
			return schedule.Absent
		}})
	}
	b.ReportAllocs()
	for b.Loop() {
		schedule.Viewer(v)
	}
}

// TestAPromiseThatIsNotKept: a peer says that a segment is on its way, and it never comes. The segment is left to peers as
// long as there is time, and then fetched; one that is not urgent is fetched once the promise is too old to count.
func TestAPromiseThatIsNotKept(t *testing.T) {
	promised := func(v *schedule.View) {
		v.Segments[0].State, v.Segments[1].State = schedule.Held, schedule.Held
		v.Peers = []schedule.Peer{{Seeder: true, Holds: loads(102)}}
	}
	for name, tt := range map[string]struct {
		playhead time.Duration
		kept     bool // the promise still counts
		want     []schedule.Action
	}{
		"there is time":       {0, true, nil},
		"it is nearly urgent": {8*sec - 3*sec - 1, true, nil},
		"it is urgent":        {8*sec - 3*sec, true, []schedule.Action{fetch(2)}},
		"the promise is old":  {0, false, []schedule.Action{fetch(2)}},
	} {
		got := schedule.Viewer(view(func(v *schedule.View) {
			promised(v)
			v.Playhead = tt.playhead
			v.Segments = v.Segments[:3]
			v.Lottery = func(int64) float64 { return 1 }
			if !tt.kept {
				v.Peers[0].Holds = holds()
			}
		}))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
