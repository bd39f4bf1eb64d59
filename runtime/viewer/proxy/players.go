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

// players are those who play now. A player is made by its first request below
// /p/ and lives for as long as it asks for something.
type players struct {
	most int
	idle time.Duration

	mu   sync.Mutex
	byID map[string]*player
}

// player is one of them.
type player struct {
	mu       sync.Mutex
	gone     bool
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

func newPlayers(most int, idle time.Duration) *players {
	return &players{most: most, idle: idle, byID: map[string]*player{}}
}

// newPlayerName draws a name. Nothing is kept of it until it is used.
func newPlayerName() string { return strings.ToLower(rand.Text()[:16]) }

// enter begins a request of a player; leave ends it.
func (p *players) enter(id string, now time.Time) (*player, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.byID[id]
	if one == nil || !one.ask(now) {
		if len(p.byID) >= p.most && !p.forgetOne(now) {
			return nil, errTooManyPlayers
		}
		one = &player{watches: map[string]*watched{}, last: now, requests: 1}
		p.byID[id] = one
		return one, nil
	}
	if one.busy() > requestsOfOne {
		one.leave(now)
		return nil, errTooManyRequests
	}
	return one, nil
}

// forgetOne makes room by dropping the player that has been silent for longest,
// if that may well have gone; p is locked.
func (p *players) forgetOne(now time.Time) bool {
	var oldest string
	var since time.Time
	for id, one := range p.byID {
		if last, free := one.free(); free && (oldest == "" || last.Before(since)) {
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

// sweep ends the interest of players that have gone silent.
func (p *players) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, one := range p.byID {
		if one.sweep(now, p.idle) {
			delete(p.byID, id)
		}
	}
}

// end ends all players.
func (p *players) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, one := range p.byID {
		one.end()
		delete(p.byID, id)
	}
}

// count says how many play, and how many renditions they watch together.
func (p *players) count() (playing, watching int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.byID {
		one.mu.Lock()
		watching += len(one.watches)
		one.mu.Unlock()
	}
	return len(p.byID), watching
}

// ask begins a request; false if the player was dropped a moment ago.
func (o *player) ask(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone {
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

func (o *player) busy() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.requests
}

// free says when the player last asked for anything, and whether it waits for nothing.
func (o *player) free() (last time.Time, free bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.last, o.requests == 0
}

// watch returns the player's interest in a rendition, which done gives back.
func (o *player) watch(ctx context.Context, engine *loader.Engine, l *playlist) (w *watched, done func(), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	w = o.watches[l.name]
	if w == nil {
		if o.gone {
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

// sweep closes what the player has not asked for of late and tells whether it
// has gone altogether.
func (o *player) sweep(now time.Time, idle time.Duration) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, w := range o.watches {
		if w.requests == 0 && now.Sub(w.last) > max(idle, w.keep) {
			w.Close()
			delete(o.watches, name)
		}
	}
	o.gone = o.requests == 0 && len(o.watches) == 0 && now.Sub(o.last) > idle
	return o.gone
}

func (o *player) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone = true
	for name, w := range o.watches {
		w.Close()
		delete(o.watches, name)
	}
}
