package proxy

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
)

var (
	errTooManyPlayers  = errors.New("too many players at a time")
	errTooManyRequests = errors.New("too many requests at a time")
)

// players are the active players. The first request below /p/ creates a player,
// which is removed when it has sent no request for some time.
type players struct {
	limit int
	idle  time.Duration

	mu   sync.Mutex
	byID map[string]*player
}

// player is one active player.
type player struct {
	mu       sync.Mutex
	removed  bool
	last     time.Time
	requests int
	watches  map[string]*watched // by playlist name
}

// watched is a rendition that a player takes from the mesh.
type watched struct {
	*rendition.Watch
	last     time.Time
	requests int
	keep     time.Duration
}

func newPlayers(limit int, idle time.Duration) *players {
	return &players{limit: limit, idle: idle, byID: map[string]*player{}}
}

// newPlayerName returns a random name. It takes no memory until it is used.
func newPlayerName() string { return strings.ToLower(rand.Text()[:16]) }

// enter begins a request of a player; leave ends it.
func (p *players) enter(id string, now time.Time) (*player, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := p.byID[id]
	if found == nil || !found.begin(now) {
		if len(p.byID) >= p.limit && !p.evict(now) {
			return nil, errTooManyPlayers
		}
		found = &player{watches: map[string]*watched{}, last: now, requests: 1}
		p.byID[id] = found
		return found, nil
	}
	if found.running() > maxPlayerRequests {
		found.leave(now)
		return nil, errTooManyRequests
	}
	return found, nil
}

// evict makes room by removing the player that has been idle for longest, if it
// has probably gone; p is locked.
func (p *players) evict(now time.Time) bool {
	var oldest string
	var since time.Time
	for id, player := range p.byID {
		if last, idle := player.lastRequest(); idle && (oldest == "" || last.Before(since)) {
			oldest, since = id, last
		}
	}
	if oldest == "" || now.Sub(since) < p.idle/4 {
		return false
	}
	p.byID[oldest].end()
	delete(p.byID, oldest)
	return true
}

// sweep removes players that have become idle.
func (p *players) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, player := range p.byID {
		if player.sweep(now, p.idle) {
			delete(p.byID, id)
		}
	}
}

// end removes all players.
func (p *players) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, player := range p.byID {
		player.end()
		delete(p.byID, id)
	}
}

// count returns the number of players, and of renditions that they watch together.
func (p *players) count() (playing, watching int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, player := range p.byID {
		player.mu.Lock()
		watching += len(player.watches)
		player.mu.Unlock()
	}
	return len(p.byID), watching
}

// begin counts a request; false if the player was removed a moment ago.
func (o *player) begin(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.removed {
		return false
	}
	o.last = now
	o.requests++
	return true
}

func (o *player) leave(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = now
	o.requests--
}

// running is the number of requests that run.
func (o *player) running() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.requests
}

// lastRequest is when the player last sent a request; idle is set if none runs.
func (o *player) lastRequest() (last time.Time, idle bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last, o.requests == 0
}

// watch returns the player's interest in a rendition; done must be called after use.
func (o *player) watch(ctx context.Context, engine *loader.Engine, l *playlist) (w *watched, done func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w = o.watches[l.name]
	if w == nil {
		if o.removed {
			return nil, nil, ondemand.ErrStopped
		}
		watch, err := engine.Watch(ctx, l.uri)
		if err != nil {
			return nil, nil, err
		}
		w = &watched{Watch: watch}
		o.watches[l.name] = w
	}
	w.requests++
	w.last = time.Now()
	w.keep = 3 * l.target()
	return w, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		w.requests--
		w.last = time.Now()
	}, nil
}

// sweep closes renditions that the player has not requested recently and tells
// whether the player has gone.
func (o *player) sweep(now time.Time, idle time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, w := range o.watches {
		if w.requests == 0 && now.Sub(w.last) > max(idle, w.keep) {
			w.Close()
			delete(o.watches, name)
		}
	}
	o.removed = o.requests == 0 && len(o.watches) == 0 && now.Sub(o.last) > idle
	return o.removed
}

func (o *player) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.removed = true
	for name, w := range o.watches {
		w.Close()
		delete(o.watches, name)
	}
}
