package poll

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

const (
	// maxListened is how many trackers are listened to at a time, each by a goroutine and a connection. Streams of further ones are
	// woken by the next poll.
	maxListened = 4096
	// pokedEvery is how often at most a tracker is asked because a first viewer came: viewers may come and go as fast as they like.
	pokedEvery = time.Second
	// listenPause is between two requests for arrivals.
	listenPause = 250 * time.Millisecond
	// listenTimeout bounds one request for arrivals, which a tracker answers within stats.ArrivalsWait.
	listenTimeout = stats.ArrivalsWait + 10*time.Second
)

// ear listens to one tracker, for the streams that sleep there.
type ear struct {
	tracker Tracker
	streams map[types.NamespacedName]bool
	stop    context.CancelFunc
}

// Listen says whether a stream sleeps, so that its trackers are to be asked at once when its first viewer comes. It follows
// Follow, whose trackers it means. One request waits at each tracker, for all streams that sleep there.
func (p *Pollers) Listen(stream types.NamespacedName, asleep bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.streams[stream]
	if f == nil {
		return
	}
	for uid, q := range f.pollers {
		e := p.ears[uid]
		switch {
		case !asleep:
			p.deafen(stream, uid)
		case e != nil:
			e.streams[stream] = true
			e.tracker.Token = q.tracker.Token // an operator that has just started may not have had it
		case len(p.ears) >= maxListened:
			p.cfg.Metrics.unheard.Inc()
		default:
			e = &ear{tracker: q.tracker, streams: map[types.NamespacedName]bool{stream: true}, stop: func() {}}
			p.ears[uid] = e
			p.cfg.Metrics.ears.Set(float64(len(p.ears)))
			p.launchEar(e)
		}
	}
}

// deafen stops listening to a tracker for a stream. The caller holds the lock.
func (p *Pollers) deafen(stream types.NamespacedName, uid types.UID) {
	e := p.ears[uid]
	if e == nil {
		return
	}
	if delete(e.streams, stream); len(e.streams) > 0 {
		return
	}
	e.stop()
	delete(p.ears, uid)
	p.cfg.Metrics.ears.Set(float64(len(p.ears)))
}

// launchEar starts the goroutine of an ear if goroutines are running. The caller holds the lock.
func (p *Pollers) launchEar(e *ear) {
	if p.ctx == nil || p.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(p.ctx)
	e.stop = cancel
	p.running.Go(func() {
		defer cancel()
		p.listen(ctx, e)
	})
}

// listen asks one tracker for arrivals until ctx ends.
func (p *Pollers) listen(ctx context.Context, e *ear) {
	var cursor stats.ArrivalsCursor
	for failures := 0; ; {
		p.mu.Lock()
		tracker := e.tracker
		p.mu.Unlock()
		heard, err := p.cfg.Client.arrivals(ctx, tracker, cursor)
		if ctx.Err() != nil {
			return
		}
		wait := listenPause
		if err != nil {
			// The tracker is asked for its stats all the same, and says there what is wrong.
			failures = min(failures+1, maxFailures)
			wait = max(pause(failures), Every)
		} else {
			failures, cursor = 0, heard.ArrivalsCursor
			p.poke(e, heard)
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// poke has the streams that were heard of asked about soon.
func (p *Pollers) poke(e *ear, heard stats.Arrivals) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Client.Now()
	for stream := range e.streams {
		f := p.streams[stream]
		if f == nil {
			continue
		}
		q := f.pollers[e.tracker.UID]
		if q == nil || !heard.Missed && !slices.Contains(heard.Streams, q.tracker.Prefix) {
			continue
		}
		p.cfg.Metrics.heard.Inc()
		if q.asking { // the answer that is on the way may be older
			q.poked = true
			continue
		}
		p.hurry(q, now)
	}
}

// hurry has a tracker asked at once, or as soon as pokedEvery allows. The caller holds the lock.
func (p *Pollers) hurry(q *poller, now time.Time) {
	due := q.asked.Add(pokedEvery)
	if due.Before(now) {
		due = now
	}
	if !due.Before(q.due) {
		return
	}
	q.due = due
	select {
	case q.sooner <- struct{}{}:
	default:
	}
}

// arrivals waits at a tracker for the first viewers of streams.
func (c *Client) arrivals(ctx context.Context, t Tracker, cursor stats.ArrivalsCursor) (stats.Arrivals, error) {
	return get(ctx, c.waiting, "listening to", t, c.Address(t)+cursor.Path(), stats.DecodeArrivals)
}
