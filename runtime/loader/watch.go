package loader

import (
	"context"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// Watch is one player's interest in one rendition of an engine with
// Config.OnDemand. What it asks for is its playhead: the engine collects what
// comes next, and merges what several players need. Its methods may be used by
// many goroutines.
type Watch struct {
	slot *slot
	r    *rendition
	head *head
	once sync.Once
}

// Rendition is what is watched.
func (w *Watch) Rendition() manifest.Rendition { return w.r.info }

// Close ends the interest; it does not wait. The last Watch of a rendition puts
// it to sleep: its swarms are left and what was held of it is dropped.
func (w *Watch) Close() {
	w.once.Do(func() {
		w.r.mail.Post(func() { delete(w.r.heads, w.head) })
		w.slot.leave()
	})
}

// Playlist returns the rendition's playlist as it was at most maxAge before the
// call, or as it is now. If it cannot be loaded it returns the error and the
// last state there was, which may be nil, with the time of that state.
func (w *Watch) Playlist(ctx context.Context, maxAge time.Duration) (*manifest.Playlist, time.Time, error) {
	w.r.mail.Post(func() { w.head.active = time.Now() })
	return w.r.fresh.get(ctx, w.r.ctx, time.Now().Add(-maxAge))
}

// Open asks for a segment by its key (manifest.Segment.Key) and returns a reader
// that gives its bytes as they arrive. ctx ends the reader, too. The player's
// playhead moves there.
func (w *Watch) Open(ctx context.Context, key string) (*SegmentReader, error) {
	type answer struct {
		feed *feed
		held bool
		err  error
	}
	request := &wait{}
	reply := make(chan answer, 1)
	r := w.r
	r.mail.Post(func() {
		f, err := r.open(w.head, request, store.Key(key), time.Now())
		reply <- answer{f, request.segment == nil, err}
	})
	forget := func() { r.mail.Post(func() { r.forget(request) }) }
	select {
	case a := <-reply:
		if a.err != nil {
			return nil, a.err
		}
		out := newSegmentReader(ctx, a.feed, forget)
		out.held = a.held
		return out, nil
	case <-ctx.Done():
		forget()
		return nil, context.Cause(ctx)
	case <-r.ctx.Done():
		return nil, ErrStopped
	}
}

// freshness is the newest state of a playlist, for those who wait for one.
type freshness struct {
	reload chan struct{}

	mu       sync.Mutex
	playlist *manifest.Playlist
	checked  time.Time // when the load began that confirmed it
	tried    time.Time // when the last load began that has ended
	running  time.Time // when the last load began
	err      error     // of the last load
	changed  chan struct{}
}

func newFreshness() *freshness {
	return &freshness{reload: make(chan struct{}, 1), changed: make(chan struct{}), running: time.Now()} // the first load is on its way
}

func (f *freshness) set(p *manifest.Playlist) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.playlist = p
}

func (f *freshness) loading(began time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running = began
}

// loaded is told of every load.
func (f *freshness) loaded(began time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tried, f.err = began, err; err == nil {
		f.checked = began
	}
	close(f.changed)
	f.changed = make(chan struct{})
}

// get waits until a load that began after since has ended, and makes one begin.
func (f *freshness) get(ctx, life context.Context, since time.Time) (*manifest.Playlist, time.Time, error) {
	asked := false
	for {
		f.mu.Lock()
		p, checked, tried, running, err, changed := f.playlist, f.checked, f.tried, f.running, f.err, f.changed
		f.mu.Unlock()
		if p != nil && p.Ended {
			return p, checked, nil // it does not change any more
		}
		if !tried.Before(since) && !tried.IsZero() {
			return p, checked, err
		}
		if !asked && running.Before(since) {
			asked = true // once is enough: a load will begin after it
			select {
			case f.reload <- struct{}{}:
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
