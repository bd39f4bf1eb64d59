package manifest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// outcome is what came of a load.
type outcome struct{ err error }

// reloading follows a live channel as a proxy does, until the test ends.
func reloading(t *testing.T, c *channel, on func(*Playlist, error)) (reload chan struct{}, loaded chan outcome) {
	t.Helper()
	s := newSource(t, SourceConfig{URL: base, Transport: c})
	reload, loaded = make(chan struct{}, 1), make(chan outcome, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		err := s.FollowWith(ctx, mainRendition, FollowOptions{
			Pace: Player, Reload: reload, EveryText: true,
			Loaded: func(_ time.Time, err error) { loaded <- outcome{err} },
		}, on)
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("following: %v", err)
		}
	}()
	return reload, loaded
}

func TestReloadLoadsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 5, latency: 10 * time.Millisecond}
		var states atomic.Int32
		reload, loaded := reloading(t, c, func(p *Playlist, err error) {
			if err != nil {
				t.Errorf("failed: %v", err)
				return
			}
			if states.Add(1); !strings.HasPrefix(string(p.Text), "#EXTM3U") {
				t.Errorf("text %q", p.Text)
			}
		})
		<-loaded
		began := time.Now()
		for range 5 {
			reload <- struct{}{}
			if o := <-loaded; o.err != nil {
				t.Errorf("loading: %v", o.err)
			}
		}
		if took := time.Since(began); took != 5*c.latency {
			t.Errorf("five reloads took %v, want %v", took, 5*c.latency)
		}
		synctest.Wait()
		if n := states.Load(); n != 1 || len(loaded) != 0 {
			t.Errorf("%d states and %d more loads, want 1 and none", n, len(loaded))
		}
		// By itself it goes on as a player would, half a target duration after the last.
		<-loaded
		if wait := time.Since(began); wait < 2*time.Second || wait > 2200*time.Millisecond {
			t.Errorf("the next load came after %v", wait)
		}
	})
}

func TestAskedBeforeALoadBeginsNeedsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 5, latency: 10 * time.Millisecond}
		reload, loaded := reloading(t, c, func(*Playlist, error) {})
		reload <- struct{}{}
		synctest.Wait() // the first load is on its way; it was not asked for or answers it
		<-loaded
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(loaded); n > 1 {
			t.Errorf("%d more loads, want one at most", n)
		}
	})
}

func TestEveryTextIsAState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &channel{began: time.Now(), duration: 4 * time.Second, window: 5}
		text, tag := c.text(5), ""
		c.fails = func(*http.Request) *http.Response { return answer(200, text+tag) }
		var last string
		reload, loaded := reloading(t, c, func(p *Playlist, err error) {
			if err == nil {
				last = string(p.Text)
			}
		})
		<-loaded
		synctest.Wait()
		tag = "#EXT-X-DATERANGE:ID=\"1\"\n"
		reload <- struct{}{}
		<-loaded
		synctest.Wait()
		if !strings.HasSuffix(last, tag) {
			t.Errorf("the new tag did not make a new state: %q", last)
		}
		c.fails = func(*http.Request) *http.Response { return answer(500, "") }
		reload <- struct{}{}
		if o := <-loaded; ReasonOf(o.err) != ReasonStatus {
			t.Errorf("a failed load says %v", o.err)
		}
	})
}
