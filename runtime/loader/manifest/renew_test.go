package manifest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// sessions is an origin whose manifest names its playlists by sessions that last for some seconds.
type sessions struct {
	began            time.Time
	lasts            time.Duration
	masters, refused atomic.Int32
	gone             bool // the manifest names other renditions
}

func (s *sessions) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := wait(r.Context(), 10*time.Millisecond); err != nil {
		return nil, err
	}
	at := time.Since(s.began)
	if strings.HasSuffix(r.URL.Path, "master.m3u8") {
		s.masters.Add(1)
		until := (at + s.lasts).Milliseconds()
		bandwidth := 1000
		if s.gone {
			bandwidth = 5000
		}
		return answer(200, fmt.Sprintf("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=%d\nv.m3u8?until=%d\n#EXT-X-STREAM-INF:BANDWIDTH=2000\nw.m3u8?until=%d\n", bandwidth, until, until)), nil
	}
	if until, _ := strconv.ParseInt(r.URL.Query().Get("until"), 10, 64); at.Milliseconds() > until {
		s.refused.Add(1)
		return answer(403, "expired"), nil
	}
	n := int64(at / (2 * time.Second))
	return answer(200, listing("s-%d.ts", n, n+5, false)), nil
}

const master = "https://cdn.example.com/live/master.m3u8"

// TestAPlaylistWhoseURLExpiresIsFollowedOn: both renditions go on, with one load of the manifest for both.
func TestAPlaylistWhoseURLExpiresIsFollowedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &sessions{began: time.Now(), lasts: 12 * time.Second}
		s := newSource(t, SourceConfig{URL: master, Transport: o})
		p, err := s.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		for _, r := range p.Renditions {
			go func() {
				defer func() { done <- struct{}{} }()
				last, at := int64(-1), time.Now()
				err := s.FollowWith(timeLimit(t, time.Minute), r, FollowOptions{Pace: Ahead}, func(p *Playlist, err error) {
					if err != nil {
						t.Errorf("%s: %v", r.Name, err)
						return
					}
					if p.LastSequence() > last+1 && last >= 0 || time.Since(at) > 3*time.Second {
						t.Errorf("%s: %d after %d and %v", r.Name, p.LastSequence(), last, time.Since(at))
					}
					last, at = p.LastSequence(), time.Now()
				})
				if err == nil || last < 33 {
					t.Errorf("%s: %v after %d", r.Name, err, last)
				}
			}()
		}
		<-done
		<-done
		if n := o.masters.Load(); n < 5 || n > 7 {
			t.Errorf("%d loads of the manifest in a minute of sessions of 12 s", n)
		}
		if n := o.refused.Load(); n > 2*5 {
			t.Errorf("%d requests were refused", n)
		}
	})
}

// TestRenewalsAreModest has a playlist that stays refused, whatever the manifest says.
func TestRenewalsAreModest(t *testing.T) {
	for name, gone := range map[string]bool{"the same URL": false, "not named": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &sessions{began: time.Now(), lasts: -time.Hour, gone: gone}
				text := "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=%d\nv.m3u8\n"
				masters := 0
				s := newSource(t, SourceConfig{URL: master, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
					if strings.HasSuffix(r.URL.Path, "master.m3u8") {
						masters++
						bandwidth := 1000
						if gone && masters > 1 {
							bandwidth = 5000
						}
						return answer(200, fmt.Sprintf(text, bandwidth)), nil
					}
					return o.RoundTrip(r)
				})})
				p, err := s.Refresh(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				failures := 0
				_ = s.FollowWith(timeLimit(t, 10*time.Minute), p.Renditions[0], FollowOptions{Pace: Ahead}, func(_ *Playlist, err error) {
					failures++
					if !Refused(err) {
						t.Errorf("%v", err)
					}
				})
				if masters < 15 || masters > 30 {
					t.Errorf("%d loads of the manifest in ten minutes, %d failures", masters, failures)
				}
				want := ErrSameURL
				if gone {
					want = ErrNotNamed
				}
				time.Sleep(time.Minute) // in the bubble
				if _, err := s.Renew(t.Context(), p.Renditions[0]); !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			})
		})
	}
}

// TestRefusedSegmentsBringOtherURLs: a film is read again when its segments are refused, and the manifest too if asked.
func TestRefusedSegmentsBringOtherURLs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		masters, lists := 0, 0
		s := newSource(t, SourceConfig{URL: master, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "master.m3u8") {
				masters++
				return answer(200, fmt.Sprintf("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n%d/v.m3u8\n", masters), "ETag", fmt.Sprint(masters)), nil
			}
			lists++
			if r.Header.Get("If-None-Match") != "" {
				return answer(304, ""), nil
			}
			return answer(200, listing(fmt.Sprintf("s-%%d.ts?signature=%d", lists), 0, 3, true), "ETag", `"always"`), nil
		})})
		p, err := s.Refresh(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		refused := make(chan bool, 1)
		var urls []string
		ctx := timeLimit(t, 10*time.Second)
		_ = s.FollowWith(ctx, p.Renditions[0], FollowOptions{Pace: Ahead, LookOn: true, Refused: refused}, func(p *Playlist, err error) {
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			if p.Restarted {
				t.Error("a signature makes no new event")
			}
			urls = append(urls, strings.TrimPrefix(p.Segments[0].URL, "https://cdn.example.com/live/"))
			switch len(urls) {
			case 1:
				refused <- false
			case 2:
				time.Sleep(3 * time.Second) // in the bubble: renewals have a pace
				refused <- true
			}
		})
		if got := fmt.Sprint(urls); got != "[1/s-0.ts?signature=1 1/s-0.ts?signature=2 2/s-0.ts?signature=3]" {
			t.Error(got)
		}
	})
}

func TestRefreshIsConditional(t *testing.T) {
	full := 0
	s := newSource(t, SourceConfig{URL: master, Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("If-None-Match") == `"1"` {
			return answer(304, ""), nil
		}
		full++
		return answer(200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\nv.m3u8\n", "ETag", `"1"`), nil
	})})
	first, err := s.Refresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if second, err := s.Refresh(t.Context()); err != nil || second != first || full != 1 {
		t.Errorf("%p after %p, %v, %d whole loads", second, first, err, full)
	}
}

func TestMatchGoesByIdentity(t *testing.T) {
	rendition := func(name, id string, kind identity.StreamType) Rendition {
		return Rendition{Name: name, Stream: identity.Stream{Type: kind, ShortID: id, URI: name}}
	}
	p := &Presentation{Renditions: []Rendition{
		rendition("720p", "a", identity.Main), rendition("720p-2", "a", identity.Main), rendition("x", "b", identity.Main), rendition("y", "a", identity.Secondary),
	}}
	for _, tt := range []struct{ name, id, want string }{{"720p-2", "a", "720p-2"}, {"gone", "a", "720p"}, {"720p", "b", "x"}, {"720p", "c", ""}} {
		if got, ok := p.Match(rendition(tt.name, tt.id, identity.Main)); got.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("%+v: %q, %v", tt, got.Name, ok)
		}
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func timeLimit(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
