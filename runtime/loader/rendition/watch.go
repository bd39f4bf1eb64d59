package rendition

import (
	"context"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// Watch is one player's interest in a rendition that is served on demand. The
// segment that the player asks for is its playhead: the segments after it are
// fetched ahead, and what several players need is fetched once. Its methods may
// be used by many goroutines.
type Watch struct {
	r        *Rendition
	position *ondemand.Position
	closed   func()
	once     sync.Once
}

// Watch declares a player's interest; closed is called once, when that ends.
func (r *Rendition) Watch(closed func()) *Watch {
	return &Watch{r: r, position: ondemand.NewPosition(time.Now()), closed: closed}
}

// Rendition is what is watched.
func (w *Watch) Rendition() manifest.Rendition { return w.r.info }

// Close ends the interest; it does not wait. The last Watch of a rendition puts
// it to sleep: its swarms are left and what was held of it is dropped.
func (w *Watch) Close() {
	w.once.Do(func() {
		w.r.mail.Post(func() { w.r.core.Unwatches(w.position) })
		w.closed()
	})
}

// Playlist returns the rendition's playlist as it was at most maxAge before the
// call, or as it is now. If it cannot be loaded it returns the error and the
// last state there was, which may be nil, with the time of that state.
func (w *Watch) Playlist(ctx context.Context, maxAge time.Duration) (*manifest.Playlist, time.Time, error) {
	w.r.mail.Post(func() { w.position.Touch(time.Now()) })
	return w.r.playlists.Get(ctx, w.r.ctx, time.Now().Add(-maxAge))
}

// Open asks for a segment by its key (manifest.Segment.Key) and returns a reader
// that gives its bytes as they arrive. The player's playhead moves there. The
// reader ends with ctx. Errors are those of package ondemand.
func (w *Watch) Open(ctx context.Context, key string) (*ondemand.Reader, error) {
	type answer struct {
		feed *ondemand.Feed
		held bool
		err  error
	}
	request := &ondemand.Request{}
	reply := make(chan answer, 1)
	r := w.r
	r.mail.Post(func() {
		f, err := r.open(w.position, request, store.Key(key), time.Now())
		reply <- answer{f, !request.Open(), err}
	})
	forget := func() { r.mail.Post(func() { ondemand.Remove(request) }) }
	select {
	case a := <-reply:
		if a.err != nil {
			return nil, a.err
		}
		return ondemand.NewReader(ctx, a.feed, a.held, forget), nil
	case <-ctx.Done():
		forget()
		return nil, context.Cause(ctx)
	case <-r.ctx.Done():
		return nil, ondemand.ErrStopped
	}
}
