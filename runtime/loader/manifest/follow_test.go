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

// channel is an origin whose live playlist is a function of the clock.
type channel struct {
	began    time.Time
	duration time.Duration // of one segment
	window   int
	ends     int           // segments after which it ends, 0: never
	latency  time.Duration // of a request
	wobble   time.Duration // how late every second segment is published

	requests, unchanged int
	fails               func(*http.Request) *http.Response // nil or an answer instead
	base                func() int64                       // added to every sequence number
}

// published is how many segments are out at now.
func (c *channel) published(now time.Time) int {
	n := int(now.Sub(c.began) / c.duration)
	if n%2 == 1 && now.Sub(c.began)-time.Duration(n)*c.duration < c.wobble {
		n--
	}
	n += c.window
	if c.ends > 0 {
		n = min(n, c.ends)
	}
	return n
}

func (c *channel) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := wait(r.Context(), c.latency); err != nil {
		return nil, err
	}
	c.requests++
	if c.fails != nil {
		if a := c.fails(r); a != nil {
			return a, nil
		}
	}
	n := c.published(time.Now())
	tag := fmt.Sprintf(`"%d"`, n)
	if r.Header.Get("If-None-Match") == tag {
		c.unchanged++
		return answer(304, ""), nil
	}
	return answer(200, c.text(n), "ETag", tag), nil
}

func (c *channel) text(n int) string {
	offset := int64(0)
	if c.base != nil {
		offset = c.base()
	}
	var b strings.Builder
	seconds := c.duration.Seconds()
	_, _ = fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", int(seconds), offset+int64(n-c.window))
	for i := n - c.window; i < n; i++ {
		_, _ = fmt.Fprintf(&b, "#EXTINF:%g,\nseg%d.ts\n", seconds, offset+int64(i))
	}
	if c.ends > 0 && n == c.ends {
		b.WriteString("#EXT-X-ENDLIST\n")
	}
	return b.String()
}

var mainRendition = Rendition{Name: "main", Stream: identity.Stream{URI: base}}

// follow runs Follow in the bubble until it ends or the time is over.
func follow(t *testing.T, c *channel, pace Pace, limit time.Duration, on func(*Playlist, error)) error {
	t.Helper()
	s := newSource(t, SourceConfig{URL: base, Transport: c})
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return s.Follow(ctx, mainRendition, pace, on)
}

func TestFollowAheadSeesSegmentsAtOnce(t *testing.T) {
	for _, wobble := range []time.Duration{0, 300 * time.Millisecond, 1500 * time.Millisecond} {
		t.Run(wobble.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &channel{began: time.Now().Add(-1700 * time.Millisecond), duration: 4 * time.Second, window: 6, latency: 20 * time.Millisecond, wobble: wobble}
				var worst time.Duration
				seen, late, last := 0, 0, int64(-1)
				err := follow(t, c, Ahead, 5*time.Minute, func(p *Playlist, err error) {
					if err != nil {
						t.Error(err)
						return
					}
					if p.LastSequence() <= last {
						t.Errorf("edge %d after %d", p.LastSequence(), last)
					}
					last = p.LastSequence()
					if seen++; seen == 1 {
						return
					}
					k := p.LastSequence() - int64(c.window) + 1
					at := c.began.Add(time.Duration(k) * c.duration)
					if k%2 == 1 {
						at = at.Add(c.wobble)
					}
					worst = max(worst, time.Since(at))
					if time.Since(at) > 450*time.Millisecond {
						late++
					}
				})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				if seen < 75 {
					t.Errorf("%d states seen", seen)
				}
				// One poll interval (400 ms) and the request itself; learning a
				// new rhythm may cost a few late sights.
				if late > 3 || (wobble == 0 && worst > 450*time.Millisecond) {
					t.Errorf("%d segments seen late, worst %v", late, worst)
				}
				t.Logf("%d late, worst %v, %.1f requests per segment, %d unchanged", late, worst, float64(c.requests)/float64(seen), c.unchanged)
				if c.requests > 76*8 {
					t.Errorf("%d requests", c.requests)
				}
			})
		})
	}
}

func TestFollowAsPlayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now().Add(-time.Second), duration: 4 * time.Second, window: 6}
		seen := 0
		_ = follow(t, c, Player, time.Minute, func(*Playlist, error) { seen++ })
		if seen < 14 || c.requests > 31 {
			t.Errorf("%d states, %d requests", seen, c.requests)
		}
	})
}

func TestFollowEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 3, ends: 6}
		var last *Playlist
		if err := follow(t, c, Ahead, time.Hour, func(p *Playlist, err error) { last = p }); err != nil {
			t.Error(err)
		}
		if !last.Live || !last.Ended || last.LastSequence() != 5 {
			t.Errorf("%+v", last)
		}
		// The last segment was new in the ended playlist: it has its position.
		var ids []int64
		for _, s := range last.Segments {
			ids = append(ids, s.ID(identity.V23))
		}
		if fmt.Sprint(ids) != "[3 4 2]" {
			t.Errorf("ids %v", ids)
		}
		if start := last.Segments[0].Start; start != 12*time.Second {
			t.Errorf("segment 3 starts at %v", start)
		}
	})
}

func TestFollowVOD(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 3, ends: 3}
		seen := 0
		err := follow(t, c, Ahead, time.Hour, func(p *Playlist, err error) {
			seen++
			if p.Live || !p.Ended {
				t.Errorf("%+v, %v", p, err)
			}
		})
		if err != nil || seen != 1 || c.requests != 1 {
			t.Errorf("%v after %d states, %d requests", err, seen, c.requests)
		}
	})
}

func TestFollowRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := &channel{began: began, duration: 4 * time.Second, window: 6}
		c.fails = func(*http.Request) *http.Response {
			switch at := time.Since(began); {
			case at < 5*time.Second:
				return answer(404, "")
			case at > 20*time.Second && at < 50*time.Second:
				return answer(200, "<html>sorry</html>")
			}
			return nil
		}
		reasons := make(map[Reason]int)
		var firstGood, lastBad time.Duration
		_ = follow(t, c, Ahead, time.Minute, func(p *Playlist, err error) {
			if err != nil {
				reasons[ReasonOf(err)]++
				lastBad = time.Since(began)
			} else if firstGood == 0 {
				firstGood = time.Since(began)
			}
		})
		if firstGood < 5*time.Second || firstGood > 10*time.Second {
			t.Errorf("first playlist after %v", firstGood)
		}
		if lastBad < 45*time.Second || lastBad > 50*time.Second {
			t.Errorf("last failure after %v", lastBad)
		}
		if n := reasons[ReasonStatus]; n < 4 || n > 12 {
			t.Errorf("%d failures by status", n)
		}
		if n := reasons[ReasonNotPlaylist]; n < 7 || n > 20 {
			t.Errorf("%d failures by content", n)
		}
	})
}

func TestFollowSaysThatItIsBackWhenNothingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := &channel{began: began, duration: time.Hour, window: 6}
		c.fails = func(*http.Request) *http.Response {
			if c.requests == 2 {
				return answer(500, "")
			}
			return nil
		}
		var calls []string
		_ = follow(t, c, Player, 90*time.Minute, func(p *Playlist, err error) {
			if err != nil {
				calls = append(calls, string(ReasonOf(err)))
				return
			}
			calls = append(calls, fmt.Sprint(p.LastSequence()))
		})
		if got := strings.Join(calls, " "); got != "5 Status 6" && got != "5 6 Status 6" {
			t.Error(got)
		}
	})
}

func TestFollowRefusesOlderStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 6}
		// Every third answer comes from an edge that is two segments behind.
		c.fails = func(*http.Request) *http.Response {
			if n := c.published(time.Now()); c.requests%3 == 0 && n > 10 {
				return answer(200, c.text(n-2))
			}
			return nil
		}
		last, backwards := int64(-1), 0
		_ = follow(t, c, Ahead, 2*time.Minute, func(p *Playlist, err error) {
			if err != nil {
				if ReasonOf(err) != ReasonWentBackwards {
					t.Error(err)
				}
				backwards++
				return
			}
			if p.LastSequence() < last || p.Restarted {
				t.Errorf("edge %d after %d", p.LastSequence(), last)
			}
			last = p.LastSequence()
		})
		if backwards < 10 || last < 33 {
			t.Errorf("%d older states, edge %d", backwards, last)
		}
	})
}

func TestFollowAcceptsARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := &channel{began: began, duration: 4 * time.Second, window: 6}
		c.base = func() int64 {
			if time.Since(began) < 30*time.Second {
				return 5000
			}
			return 0
		}
		restarts, last := 0, int64(0)
		_ = follow(t, c, Ahead, 3*time.Minute, func(p *Playlist, err error) {
			if p == nil {
				return
			}
			if p.Restarted {
				restarts++
			} else if p.LastSequence() < last {
				t.Errorf("edge %d after %d", p.LastSequence(), last)
			}
			last = p.LastSequence()
		})
		if restarts != 1 || last != 49 {
			t.Errorf("%d restarts, edge %d", restarts, last)
		}
	})
}

func TestFollowReportsAStandstillOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: time.Hour, window: 6}
		text := strings.ReplaceAll(c.text(6), "3600", "4")
		c.fails = func(*http.Request) *http.Response { return answer(200, text) }
		var got []string
		_ = follow(t, c, Ahead, 10*time.Minute, func(p *Playlist, err error) {
			if err != nil {
				got = append(got, string(ReasonOf(err)))
				return
			}
			got = append(got, "playlist")
		})
		if fmt.Sprint(got) != "[playlist NotAdvancing]" {
			t.Error(got)
		}
		// Polling calms down: half to a whole target duration apart.
		if c.requests > 250 {
			t.Errorf("%d requests in ten minutes", c.requests)
		}
	})
}

func TestShiftBridgesGaps(t *testing.T) {
	make3 := func(first int64) *Playlist {
		p := &Playlist{TargetDuration: 4 * time.Second}
		for i := range int64(3) {
			p.Segments = append(p.Segments, Segment{Sequence: first + i, Start: time.Duration(i) * 4 * time.Second, Duration: 4 * time.Second})
		}
		return p
	}
	for first, want := range map[int64]time.Duration{11: 4 * time.Second, 13: 12 * time.Second, 15: 20 * time.Second, 1 << 50: 12 * time.Second} {
		p := make3(first)
		p.shift(make3(10))
		if p.Segments[0].Start != want {
			t.Errorf("segment %d starts at %v, want %v", first, p.Segments[0].Start, want)
		}
	}
}
