package manifest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// stage is an origin whose answers are a function of the time since it began; ask counts the requests from 1.
type stage struct {
	began time.Time
	asked int
	play  func(at time.Duration, ask int) (status int, body string)
}

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	s.asked++
	if err := wait(r.Context(), 10*time.Millisecond); err != nil {
		return nil, err
	}
	status, body := s.play(time.Since(s.began), s.asked)
	return answer(status, body), nil
}

// listing is a playlist of two-second segments, from number first to last, named by format.
func listing(format string, first, last int64, ended bool) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for n := first; n <= last; n++ {
		_, _ = fmt.Fprintf(&b, "#EXTINF:2,\n"+format+"\n", n)
	}
	if ended {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.String()
}

// permanent is a live URL with two events of the same names, eight segments listed: the first is at number 8 in the
// beginning, the second begins at number 0.
func permanent(at, second time.Duration) string {
	if at < second {
		n := 8 + int64(at/(2*time.Second))
		return listing("s-%d.ts", max(0, n-8), n-1, false)
	}
	n := 4 + int64((at-second)/(2*time.Second))
	return listing("s-%d.ts", max(0, n-8), n-1, false)
}

func ended(text string) string { return text + "#EXT-X-ENDLIST\n" }

// told is what a follower was told: reasons of failures, when new events were noticed, and the last state.
type told struct {
	reasons    map[Reason]int
	suspicions int
	restarts   []time.Duration
	last       *Playlist
}

// watch follows a stage for so long.
func (s *stage) watch(t *testing.T, pace Pace, limit time.Duration, change func(*FollowOptions), on ...func(*Playlist)) told {
	t.Helper()
	s.began = time.Now()
	source := newSource(t, SourceConfig{URL: base, Transport: s})
	out := told{reasons: map[Reason]int{}}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	o := FollowOptions{Pace: pace, LookOn: true}
	if change != nil {
		change(&o)
	}
	err := source.FollowWith(ctx, mainRendition, o, func(p *Playlist, err error) {
		if err != nil {
			out.reasons[ReasonOf(err)]++
			if NewEventSuspected(err) {
				out.suspicions++
			}
			return
		}
		if p.Restarted && p != out.last {
			out.restarts = append(out.restarts, time.Since(s.began))
			for _, f := range on {
				f(p)
			}
		}
		out.last = p
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("following: %v", err)
	}
	return out
}

func TestANewEventIsNoticed(t *testing.T) {
	const second = 12 * time.Second
	for name, tt := range map[string]struct {
		play   func(at time.Duration, ask int) (int, string)
		within time.Duration // of its begin
		quiet  bool          // without a suspicion
	}{
		"with the same names and numbers": {func(at time.Duration, _ int) (int, string) { return 200, permanent(at, second) }, 3 * time.Second, false},
		"after an end, with the same names and numbers": {func(at time.Duration, _ int) (int, string) {
			if at > 6*time.Second && at < second {
				return 200, ended(permanent(6*time.Second, second))
			}
			return 200, permanent(at, second)
		}, 5 * time.Second, false},
		"after an end, with other names": {func(at time.Duration, _ int) (int, string) {
			if at > 6*time.Second && at < second {
				return 200, ended(permanent(6*time.Second, second))
			} else if at >= second {
				return 200, strings.ReplaceAll(permanent(at, second), "s-", "t-")
			}
			return 200, permanent(at, second)
		}, 3 * time.Second, true},
		"with other names and low numbers": {func(at time.Duration, _ int) (int, string) {
			if at < second {
				return 200, listing("s-%d.ts", 100+int64(at/(2*time.Second)), 111+int64(at/(2*time.Second)), false)
			}
			return 200, listing("r-%d.ts", 0, 2+int64((at-second)/(2*time.Second)), false)
		}, 3 * time.Second, false},
		"after an end and a time without any": {func(at time.Duration, _ int) (int, string) {
			switch {
			case at < 4*time.Second:
				return 200, permanent(at, second)
			case at < 6*time.Second:
				return 200, ended(permanent(4*time.Second, second))
			case at < second:
				return 404, ""
			}
			return 200, permanent(at, second)
		}, 5 * time.Second, false},
		"that goes on with higher numbers": {func(at time.Duration, _ int) (int, string) {
			n := int64(at / (2 * time.Second))
			return 200, listing("s-%d.ts", n, n+5, at > 6*time.Second && at < second)
		}, 3 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{play: tt.play}
				got := s.watch(t, Ahead, 30*time.Second, nil)
				if len(got.restarts) != 1 || got.restarts[0] < second-7*time.Second || got.restarts[0] > second+tt.within {
					t.Errorf("noticed at %v, the event began at %v", got.restarts, second)
				}
				if !got.last.Live || got.last.Ended {
					t.Errorf("the new event is not live: %+v", got.last)
				}
				if (got.suspicions == 0) != tt.quiet {
					t.Errorf("%d suspicions", got.suspicions)
				}
				for _, seg := range got.last.Segments {
					if seg.ID(identity.V23) != seg.Sequence {
						t.Errorf("segment %d has the id %d", seg.Sequence, seg.ID(identity.V23))
					}
				}
			})
		})
	}
}

func TestOlderStatesMakeNoNewEvent(t *testing.T) {
	live := func(at time.Duration) (first, last int64) {
		n := int64(at / (2 * time.Second))
		return 100 + n, 111 + n
	}
	for name, play := range map[string]func(at time.Duration, ask int) (int, string){
		"a pool of edges, some of which lag": func(at time.Duration, ask int) (int, string) {
			first, last := live(at)
			return 200, listing("s-%d.ts", first-2*int64(ask%2), last-2*int64(ask%2), false)
		},
		"an edge that lags for a while and catches up": func(at time.Duration, _ int) (int, string) {
			first, last := live(at)
			if at > 10*time.Second && at < 20*time.Second {
				return 200, listing("s-%d.ts", first-3, last-3, false)
			}
			return 200, listing("s-%d.ts", first, last, false)
		},
		"a stale copy": func(at time.Duration, _ int) (int, string) {
			first, last := live(at)
			if at > 40*time.Second && at < 55*time.Second {
				return 200, listing("s-%d.ts", 100, 111, false)
			}
			return 200, listing("s-%d.ts", first, last, false)
		},
		"an edge that has not seen the end": func(at time.Duration, ask int) (int, string) {
			first, last := live(min(at, 10*time.Second))
			if at > 10*time.Second && ask%2 == 0 {
				return 200, listing("s-%d.ts", first-1, last-1, false)
			}
			return 200, listing("s-%d.ts", first, last, at > 10*time.Second)
		},
		"two packagers": func(at time.Duration, ask int) (int, string) {
			n := int64(at / (2 * time.Second))
			if ask%2 == 0 {
				return 200, listing("a-%d.ts", 1000+n, 1011+n, false)
			}
			return 200, listing("b-%d.ts", 5000+n, 5011+n, false)
		},
		"the whole of it after the end": func(at time.Duration, _ int) (int, string) {
			first, last := live(min(at, 10*time.Second))
			if at > 20*time.Second {
				first = 90
			}
			return 200, listing("s-%d.ts", first, last, at > 10*time.Second)
		},
		"another signature in the path": func(at time.Duration, ask int) (int, string) {
			return 200, listing(fmt.Sprintf("%d/s-%%d.ts", ask), 0, 9, true)
		},
		"other names at each load": func(at time.Duration, ask int) (int, string) {
			return 200, listing(fmt.Sprintf("%d-%%d.ts", ask), 0, 9, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{play: play}
				if got := s.watch(t, Ahead, 5*time.Minute, nil); len(got.restarts) > 0 {
					t.Errorf("new events at %v; %v", got.restarts, got.reasons)
				}
			})
		})
	}
}

func TestLittleLagIsNoSuspicion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{play: func(at time.Duration, ask int) (int, string) {
			n := int64(at/(2*time.Second)) - 2*int64(ask%2)
			return 200, listing("s-%d.ts", 100+n, 111+n, false)
		}}
		if got := s.watch(t, Ahead, time.Minute, nil); got.suspicions > 0 || got.reasons[ReasonWentBackwards] == 0 {
			t.Errorf("%v", got.reasons)
		}
	})
}

func TestLooksAfterTheEndAreModest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := listing("s-%d.ts", 100, 111, false)
		s := &stage{play: func(at time.Duration, ask int) (int, string) {
			if at < 2*time.Second {
				return 200, text
			}
			return 200, ended(text)
		}}
		s.watch(t, Ahead, 10*time.Hour, nil)
		if s.asked > 10*130+100 {
			t.Errorf("%d requests in ten hours", s.asked)
		}
		film := &stage{play: func(time.Duration, int) (int, string) { return 200, ended(text) }}
		film.watch(t, Ahead, time.Hour, nil)
		if film.asked > 121 || film.asked < 50 {
			t.Errorf("%d requests for a film in an hour", film.asked)
		}
	})
}

func TestANewFilmIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{play: func(at time.Duration, _ int) (int, string) {
			name := "first"
			if at > 5*time.Minute {
				name = "second"
			}
			return 200, listing(name+"-%d.ts", 0, 9, true)
		}}
		got := s.watch(t, Player, 10*time.Minute, nil)
		if len(got.restarts) != 1 || got.restarts[0] > 5*time.Minute+65*time.Second || got.last.Live {
			t.Errorf("noticed at %v, %+v", got.restarts, got.last)
		}
	})
}

// TestAnAwaitedEventIsTakenAtOnce: others have seen it, so that the first state that differs is the new event's.
func TestAnAwaitedEventIsTakenAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		second, from, until time.Duration // when it begins, and when it is awaited
		want                time.Duration
	}{
		"seen before it is awaited": {8 * time.Second, 8500 * time.Millisecond, 30 * time.Second, 8500 * time.Millisecond},
		"seen later":                {12 * time.Second, 8500 * time.Millisecond, 30 * time.Second, 12 * time.Second},
		"not seen":                  {time.Hour, 8 * time.Second, 15 * time.Second, 15 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{play: func(at time.Duration, _ int) (int, string) { return 200, permanent(at, tt.second) }}
				taken := false
				got := s.watch(t, Ahead, 40*time.Second, func(o *FollowOptions) {
					o.Expect = func() time.Time {
						if taken || time.Since(s.began) < tt.from {
							return time.Time{}
						}
						return s.began.Add(tt.until)
					}
				}, func(*Playlist) { taken = true })
				if len(got.restarts) != 1 || got.restarts[0] < tt.want || got.restarts[0] > tt.want+time.Second {
					t.Errorf("taken at %v, want %v", got.restarts, tt.want)
				}
			})
		})
	}
}

func TestFollows(t *testing.T) {
	parse := func(text string) *Playlist {
		p, err := ParseMedia([]byte(text), base, mainRendition)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	last := listing("s-%d.ts", 10, 20, true)
	for name, tt := range map[string]struct {
		next string
		want bool
	}{
		"the same":                {last, true},
		"with signatures":         {strings.ReplaceAll(last, ".ts", ".ts?sig=1"), true},
		"with more of its past":   {listing("s-%d.ts", 0, 20, true), true},
		"live, older":             {listing("s-%d.ts", 9, 19, false), false},
		"live, newer":             {listing("s-%d.ts", 11, 21, false), false},
		"live, from the start on": {listing("s-%d.ts", 0, 2, false), false},
		"another film":            {listing("t-%d.ts", 10, 20, true), false},
		"a shorter one":           {listing("s-%d.ts", 10, 15, true), true},
	} {
		if got := Follows(parse(last), parse(tt.next)); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
