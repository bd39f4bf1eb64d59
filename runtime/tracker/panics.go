package tracker

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// panics records panics that were recovered: a bug that one client's bytes reach ends that client's socket or request,
// and not the whole tracker.
type panics struct {
	total *prometheus.CounterVec
	log   *slog.Logger
	// lines limits the log: a client that found the bug could repeat it.
	lines *rate.Limiter
}

// Where a panic was recovered: in a goroutine of a socket, in a shard that handled a socket's message, or in an HTTP
// request.
const (
	inSocket  = "socket"
	inShard   = "shard"
	inRequest = "request"
)

func newPanics(log *slog.Logger, reg prometheus.Registerer) (*panics, error) {
	p := &panics{log: log, lines: rate.NewLimiter(1.0/60, 5), total: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "p2pstream_tracker_panics_total", Help: "Panics that ended one socket or request, by where they happened. Each is a bug."},
		[]string{"where"})}
	for _, where := range []string{inSocket, inShard, inRequest} {
		p.total.WithLabelValues(where)
	}
	if err := reg.Register(p.total); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return p, nil
}

// recovered counts and logs a panic. It must be called by the deferred function that recovered the panic: then the stack
// is that of the panic.
func (p *panics) recovered(where string, value any) {
	p.total.WithLabelValues(where).Inc()
	if p.lines.Allow() {
		p.log.Error("panic; only the socket or request that caused it ends", "where", where, "panic", fmt.Sprint(value),
			"stack", string(debug.Stack()))
	}
}

// handler records panics of next. net/http ends the connection, as it does without this, and logs nothing more.
func (p *panics) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch value := recover(); value {
			case nil:
			case http.ErrAbortHandler:
				panic(value)
			default:
				p.recovered(inRequest, value)
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}
