package tracker

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

const (
	// maxArrivals are remembered, for who asks again a moment later. Each is the prefix of a stream.
	maxArrivals = 256
	// maxArrivalWaits is how many requests may wait for an arrival at a time. An operator needs one.
	maxArrivalWaits = 16
)

// arrivals tell the operator at once when a stream without viewers gets one: it may have to start a seeder. Only the step from none
// to one counts, so a stream with an audience costs nothing here.
type arrivals struct {
	boot    string
	refused prometheus.Counter

	mu      sync.Mutex
	next    int64         // number of the next arrival
	last    []string      // the last ones, of which the newest has the number next-1
	rung    chan struct{} // closed at the next arrival; nil while no request waits
	waiting int
}

func newArrivals(reg prometheus.Registerer) (*arrivals, error) {
	a := &arrivals{boot: rand.Text(), refused: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pstream_tracker_arrival_waits_refused_total",
		Help: "Requests for the first viewers of streams that were refused because too many wait.",
	})}
	if err := reg.Register(a.refused); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return a, nil
}

// ring notes the first viewer of a stream. It does not block.
func (a *arrivals) ring(stream string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.last) == maxArrivals {
		a.last = slices.Delete(a.last, 0, 1)
	}
	a.last = append(a.last, stream)
	a.next++
	if a.rung != nil {
		close(a.rung)
		a.rung = nil
	}
}

// since returns what there was after a moment, or a channel to wait for when that is nothing.
func (a *arrivals) since(c stats.ArrivalsCursor) (out stats.Arrivals, wait <-chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out = stats.Arrivals{Version: stats.Version, ArrivalsCursor: stats.ArrivalsCursor{Boot: a.boot, Next: a.next}}
	first := a.next - int64(len(a.last))
	switch {
	case c.Boot == "":
		return out, nil // who has just begun to listen learns the moment
	case c.Boot != a.boot, c.Next > a.next, c.Next < first:
		out.Missed = true
		return out, nil
	case c.Next < a.next:
		out.Streams = slices.Clone(a.last[c.Next-first:])
		slices.Sort(out.Streams)
		out.Streams = slices.Compact(out.Streams)
		return out, nil
	}
	if a.rung == nil {
		a.rung = make(chan struct{})
	}
	return out, a.rung
}

// enter counts a request that waits, unless too many do.
func (a *arrivals) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting >= maxArrivalWaits {
		return false
	}
	a.waiting++
	return true
}

func (a *arrivals) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting--
}

// ServeHTTP implements http.Handler: it answers at the next arrival, or that there was none in time.
func (a *arrivals) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	cursor, err := stats.ArrivalsCursorOf(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !a.enter() {
		a.refused.Inc()
		http.Error(w, "too many requests wait", http.StatusServiceUnavailable)
		return
	}
	defer a.leave()
	// The listener gives a request ten seconds, and cancels it then. Where that cannot be changed, the answer comes earlier.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(2 * stats.ArrivalsWait))
	end := time.NewTimer(stats.ArrivalsWait)
	defer end.Stop()
	out, rung := a.since(cursor)
	if rung != nil {
		select {
		case <-rung:
			out, _ = a.since(cursor)
		case <-end.C:
		case <-r.Context().Done():
			return
		}
	}
	answerJSON(w, http.StatusOK, out)
}
