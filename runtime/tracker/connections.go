package tracker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// connections is a listener that bounds the connections which are no sockets (yet): requests for pages and
// configuration, kept for the next one, and clients that have not said anything. Those above are closed at once, so
// that strangers who open connections and say nothing can neither use up the process's descriptors nor keep others
// out. What becomes a socket is bounded by package sockets.
type connections struct {
	net.Listener
	most, mostOfAddress int // mostOfAddress below 0: any number
	// rate bounds new connections of each address: a TLS handshake costs us more than whoever asks for it.
	rate    *addresses.Limiter
	metrics *connectionMetrics

	mu   sync.Mutex
	open int
	of   map[netip.Addr]int
}

type connectionMetrics struct {
	open                       prometheus.Gauge
	refused, ofOneFar, tooSoon prometheus.Counter
	unasked, crowded, noTurn   prometheus.Counter
	waiting                    prometheus.Gauge
}

func newConnectionMetrics(reg prometheus.Registerer) (*connectionMetrics, error) {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_connections_refused_total",
		Help: "Connections that were closed before any request, by the limit they hit."}, []string{"limit"})
	m := &connectionMetrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "p2pstream_tracker_connections",
			Help: "Open connections that are no sockets."}),
		refused: refused.WithLabelValues("connections"), ofOneFar: refused.WithLabelValues("connections_per_address"),
		tooSoon: refused.WithLabelValues("connection_rate_of_address"), crowded: refused.WithLabelValues("handshakes"),
		noTurn: refused.WithLabelValues("handshake_wait"),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "p2pstream_tracker_handshakes_waiting",
			Help: "TLS handshakes that wait for their turn to be computed."}),
	}
	m.unasked = prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_tracker_connections_without_request_total",
		Help: "Connections that ended before the header of a request was there: silent, slow, with too long a header, or not HTTP."})
	for _, c := range []prometheus.Collector{m.open, refused, m.unasked, m.waiting} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

func newConnections(l net.Listener, limits LimitsConfig, m *connectionMetrics) *connections {
	return &connections{Listener: l, most: limits.Connections, mostOfAddress: limits.ConnectionsPerAddress, metrics: m,
		rate: addresses.NewLimiter(float64(limits.AddressConnectionsPerSecond), limits.AddressConnectionBurst),
		of:   make(map[netip.Addr]int)}
}

// Accept implements net.Listener.
func (l *connections) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if own := l.add(c); own != nil {
			return own, nil
		}
		_ = c.Close() // never used
	}
}

// add notes a connection, or returns nil if there is no room for it.
func (l *connections) add(c net.Conn) *connection {
	from := addresses.Of(c.RemoteAddr().String())
	if !l.rate.Allow(from, time.Now()) {
		l.metrics.tooSoon.Inc()
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.mostOfAddress >= 0 && l.of[from] >= l.mostOfAddress:
		l.metrics.ofOneFar.Inc()
		return nil
	case l.open >= l.most:
		l.metrics.refused.Inc()
		return nil
	}
	l.open++
	l.of[from]++
	l.metrics.open.Inc()
	return &connection{Conn: c, l: l, from: from}
}

// crowded reports whether so many connections are open, of all or of the address, that none should be kept for a next
// request.
func (l *connections) crowded(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open > l.most/2 || l.mostOfAddress >= 0 && l.of[from] > l.mostOfAddress/2
}

// connection is one that counts until it becomes a socket or is closed.
type connection struct {
	net.Conn
	l    *connections
	from netip.Addr
	once sync.Once
	// asked is whether a request came.
	asked atomic.Bool
	// turn is set while a TLS handshake of this connection is computed.
	turn atomic.Pointer[handshakes]
}

func (c *connection) endTurn() {
	if c.turn.Load() == nil { // as nearly always
		return
	}
	if h := c.turn.Swap(nil); h != nil {
		h.end()
	}
}

// Write implements net.Conn.
func (c *connection) Write(b []byte) (int, error) {
	c.endTurn()
	return c.Conn.Write(b)
}

// done gives the place of the connection back.
func (c *connection) done() {
	c.once.Do(func() {
		c.l.mu.Lock()
		defer c.l.mu.Unlock()
		c.l.open--
		if c.l.of[c.from]--; c.l.of[c.from] <= 0 {
			delete(c.l.of, c.from)
		}
		c.l.metrics.open.Dec()
		if !c.asked.Load() {
			c.l.metrics.unasked.Inc()
		}
	})
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.done()
	c.endTurn()
	return c.Conn.Close()
}

// SetWriteBuffer bounds what the kernel holds for the client.
func (c *connection) SetWriteBuffer(bytes int) error {
	if b, ok := c.Conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		return b.SetWriteBuffer(bytes)
	}
	return nil
}

// connectionOf finds ours below TLS.
func connectionOf(c net.Conn) *connection {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	own, _ := c.(*connection)
	return own
}

// watchConnections has a server tell which connections became sockets, and not keep those of a crowd.
func watchConnections(server *http.Server) {
	server.ConnState = func(c net.Conn, state http.ConnState) {
		if own := connectionOf(c); own != nil && state == http.StateHijacked {
			own.done()
		}
	}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, connectionOf(c))
	}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own, _ := r.Context().Value(connectionKey{}).(*connection); own != nil {
			own.asked.Store(true)
			if own.l.crowded(own.from) {
				w.Header().Set("Connection", "close")
			}
		}
		next.ServeHTTP(w, r)
	})
}

type connectionKey struct{}
