package ondemand

import (
	"context"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// PlaylistCache is the newest state of a playlist that is followed; requests wait in it for one that is fresh enough.
type PlaylistCache struct {
	reload chan struct{}

	mu       sync.Mutex
	playlist *manifest.Playlist
	checked  time.Time // when the load began that confirmed it
	tried    time.Time // when the last load began that has ended
	running  time.Time // when the last load began
	err      error     // of the last load
	changed  chan struct{}
}

// endedFresh is how old the last look at a playlist that has ended may be: a new event may begin under its URL.
const endedFresh = 4 * time.Second

// NewPlaylistCache returns a cache whose first load is running.
func NewPlaylistCache() *PlaylistCache {
	return &PlaylistCache{reload: make(chan struct{}, 1), changed: make(chan struct{}), running: time.Now()} // the first load is running
}

// Reload delivers a value when a load should begin at once.
func (c *PlaylistCache) Reload() <-chan struct{} { return c.reload }

// Set takes the newest state.
func (c *PlaylistCache) Set(p *manifest.Playlist) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.playlist = p
}

// Loading notes when a load began.
func (c *PlaylistCache) Loading(began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = began
}

// Loaded notes that the load that began at that time has ended.
func (c *PlaylistCache) Loaded(began time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tried, c.err = began, err; err == nil {
		c.checked = began
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// Get waits until a load that began after since has ended, and asks for one if none runs. On an error it returns the
// last state, which may be nil, with the time of that state. It returns ErrStopped when life ends.
func (c *PlaylistCache) Get(ctx, life context.Context, since time.Time) (*manifest.Playlist, time.Time, error) {
	asked := false
	for {
		c.mu.Lock()
		p, checked, tried, running, err, changed := c.playlist, c.checked, c.tried, c.running, c.err, c.changed
		c.mu.Unlock()
		if p != nil && p.Ended && (err != nil || time.Since(checked) < endedFresh) {
			return p, checked, nil //nolint:nilerr // it does not change, unless a new event begins
		}
		if !tried.Before(since) && !tried.IsZero() {
			return p, checked, err
		}
		if !asked && running.Before(since) {
			asked = true // one signal is enough: a load will begin after it
			select {
			case c.reload <- struct{}{}:
			default:
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return p, checked, context.Cause(ctx)
		case <-life.Done():
			return p, checked, ErrStopped
		}
	}
}
