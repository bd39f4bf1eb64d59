package manifest

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const unusedValidators = "p2pstream_manifest_unused_validators_total"

// liar makes an origin's validators untrue. Its own answers come first, so that a test knows what has changed by then.
type liar struct {
	origin http.RoundTripper
	tag    func(tag string) string // of an answer
	asks   int                     // conditional requests
	all    int
}

func (l *liar) RoundTrip(r *http.Request) (*http.Response, error) {
	l.all++
	if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
		l.asks++
		return answer(304, ""), nil
	}
	out, err := l.origin.RoundTrip(r)
	if err == nil && out.StatusCode == 200 {
		out.Header.Set("ETag", l.tag(out.Header.Get("ETag")))
	}
	return out, err
}

var lies = map[string]struct {
	tag    func(string) string
	reason string
}{
	"not modified for ever": {func(tag string) string { return tag }, tagUntrue},
	"one tag for all":       {func(string) string { return `"one"` }, tagReused},
}

// TestUntrueValidatorsDoNotFreezeAPlaylist: segments are seen late twice at most, and then in time.
func TestUntrueValidatorsDoNotFreezeAPlaylist(t *testing.T) {
	for name, lie := range lies {
		for _, pace := range []Pace{Ahead, Player} {
			t.Run(fmt.Sprintf("%s, pace %d", name, pace), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &channel{began: time.Now().Add(-1700 * time.Millisecond), duration: 4 * time.Second, window: 6}
					l := &liar{origin: c, tag: lie.tag}
					registry, log := prometheus.NewRegistry(), new(bytes.Buffer)
					s := newSource(t, SourceConfig{URL: base, Transport: l, Registerer: registry, Logger: slog.New(slog.NewTextHandler(log, nil))})
					late, last := 0, int64(-1)
					_ = s.Follow(timeLimit(t, 5*time.Minute), mainRendition, pace, func(p *Playlist, err error) {
						if err != nil {
							t.Error(err)
							return
						}
						n := p.LastSequence()
						if behind := time.Since(c.began.Add(time.Duration(n-int64(c.window)+1) * c.duration)); last >= 0 && behind > 4*time.Second {
							late++
						}
						last = n
					})
					if want := int64(c.published(time.Now()) - 2); last < want {
						t.Errorf("the newest segment is %d, want at least %d", last, want)
					}
					if late > 2 {
						t.Errorf("%d segments are seen late", late)
					}
					if got := counted(t, registry, unusedValidators, lie.reason); got != 1 || strings.Count(log.String(), "loaded as a whole") != 1 {
						t.Errorf("%v in the metric, the log says:\n%s", got, log)
					}
					if l.asks > 40 {
						t.Errorf("%d conditional requests of %d", l.asks, l.all)
					}
				})
			})
		}
	}
}

// TestUntrueValidatorsDoNotFreezeAnMPD: what an MPD lists goes on, too, and its end is seen.
func TestUntrueValidatorsDoNotFreezeAnMPD(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				since := time.Now().Add(-30 * time.Second)
				o := &show{text: func(now time.Time) string {
					n := int(now.Sub(since) / (2 * time.Second))
					return byTimeline(since, min(n, 60)-10, min(n, 60), n < 60)
				}}
				s := newSource(t, SourceConfig{URL: mpdURL, Transport: &liar{origin: o, tag: lie.tag}})
				p, err := s.Load(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got := &seen{}
				_ = s.Follow(timeLimit(t, 2*time.Minute), p.Renditions[0], Ahead, got.on)
				if n := len(got.lists); n < 40 || !got.lists[n-1].Ended || len(got.errors) > 0 {
					t.Errorf("%d states, %v", n, got.errors)
				}
			})
		})
	}
}

// TestAStandstillIsNoLie: an origin that is true is asked for the whole playlist now and then while it stands still, and
// conditionally otherwise.
func TestAStandstillIsNoLie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 6}
		stops, goesOn := c.began.Add(time.Minute), c.began.Add(6*time.Minute)
		asked, whole := 0, 0
		registry := prometheus.NewRegistry()
		s := newSource(t, SourceConfig{URL: base, Registerer: registry, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			now := time.Now()
			switch {
			case now.After(goesOn):
				now = now.Add(-goesOn.Sub(stops))
			case now.After(stops):
				if asked++; r.Header.Get("If-None-Match") == "" {
					whole++
				}
				now = stops
			}
			n := c.published(now)
			tag := fmt.Sprintf(`"%d"`, n)
			if r.Header.Get("If-None-Match") == tag {
				return answer(304, ""), nil
			}
			return answer(200, c.text(n), "ETag", tag), nil
		})})
		_ = s.Follow(timeLimit(t, 10*time.Minute), mainRendition, Ahead, func(*Playlist, error) {})
		if whole < 5 || whole > 15 || asked < 8*whole {
			t.Errorf("%d whole loads of %d while nothing is published", whole, asked)
		}
		if counted(t, registry, unusedValidators, tagUntrue) != 0 {
			t.Error("the origin is true")
		}
	})
}

// TestAManifestThatNeverChanges: a 304 is not believed when the origin refuses what the manifest names, nor for ever.
func TestAManifestThatNeverChanges(t *testing.T) {
	for name, lie := range lies {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token := 1
				s := newSource(t, SourceConfig{URL: master, Transport: &liar{tag: lie.tag, origin: transportFunc(func(*http.Request) (*http.Response, error) {
					return answer(200, fmt.Sprintf("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n%d/v.m3u8\n", token), "ETag", fmt.Sprintf(`"%d"`, token)), nil
				})}})
				first, err := s.Refresh(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if same, err := s.Refresh(t.Context()); err != nil || same != first {
					t.Fatalf("nothing has changed: %v", err)
				}
				token = 2
				time.Sleep(time.Minute) // in the bubble: renewals have a pace
				renewed, err := s.Renew(t.Context(), first.Renditions[0])
				if err != nil || !strings.HasSuffix(renewed.URI, "/2/v.m3u8") {
					t.Errorf("%q, %v", renewed.URI, err)
				}
				token = 3
				time.Sleep(longestRest + time.Second)
				if p, err := s.Refresh(t.Context()); err != nil || !strings.HasSuffix(p.Renditions[0].URI, "/3/v.m3u8") {
					t.Errorf("five minutes later: %v", err)
				}
			})
		})
	}
}

func TestValidatorsThatMustNotBeSentBack(t *testing.T) {
	registry := prometheus.NewRegistry()
	s := newSource(t, SourceConfig{URL: master, Registerer: registry})
	for tag, reason := range map[string]string{
		`"a"`: "", `W/"a"`: "", `""`: "", `"` + strings.Repeat("x", maxTagBytes-2) + `"`: "", "\"\xe9\"": "",
		`"` + strings.Repeat("x", maxTagBytes-1) + `"`: tagTooLong,
		`*`: tagMalformed, `a`: tagMalformed, `"`: tagMalformed, `W/`: tagMalformed, `"a", "b"`: tagMalformed, `"a"b"`: tagMalformed, "\"a\x01\"": tagMalformed,
	} {
		before := map[string]float64{}
		for _, r := range tagReasons {
			before[r] = counted(t, registry, unusedValidators, r)
		}
		v := validatorsOf(http.Header{"Etag": {tag}}, s.metrics.tags)
		h := http.Header{}
		v.set(h)
		if sent := h.Get("If-None-Match"); (sent == tag) != (reason == "") || (sent != "" && sent != tag) {
			t.Errorf("%.20q: sent back as %.20q", tag, sent)
		}
		for _, r := range tagReasons {
			if counted := counted(t, registry, unusedValidators, r) > before[r]; counted != (r == reason) {
				t.Errorf("%.20q: %s counted: %v", tag, r, counted)
			}
		}
	}
}
