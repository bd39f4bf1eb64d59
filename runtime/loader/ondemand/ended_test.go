package ondemand

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// TestAnEndedPlaylistIsLookedAtAgain, because a new event may begin under its URL; not for every request, and players
// keep it while the origin fails.
func TestAnEndedPlaylistIsLookedAtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewPlaylistCache()
		ended, next := &manifest.Playlist{Ended: true}, &manifest.Playlist{Live: true}
		get := func() *manifest.Playlist {
			p, _, err := c.Get(t.Context(), t.Context(), time.Now().Add(-time.Second))
			if err != nil {
				t.Errorf("getting: %v", err)
			}
			return p
		}
		load := func(p *manifest.Playlist, err error) {
			began := time.Now()
			c.Loading(began)
			if err == nil {
				c.Set(p)
			}
			c.Loaded(began, err)
		}
		load(ended, nil)
		time.Sleep(endedFresh - time.Second) // in the bubble
		if get() != ended || len(c.reload) != 0 {
			t.Error("it was asked for again at once")
		}
		time.Sleep(2 * time.Second)
		go func() {
			<-c.Reload()
			load(nil, errors.New("the origin is away"))
		}()
		for range 2 {
			if get() != ended {
				t.Error("not kept while the origin is away")
			}
		}
		load(ended, nil)
		time.Sleep(endedFresh)
		go func() {
			<-c.Reload()
			load(next, nil)
		}()
		if get() != next {
			t.Error("the next event is not seen")
		}
	})
}
