package tracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// connections is a listener that limits the connections which are not (yet) WebSockets: HTTP requests for pages and
// configuration, idle keep-alive connections, and clients that have not sent a request. Connections above the limits are
// closed at once, so that clients which open connections and stay silent can neither exhaust the process's file
// descriptors nor lock out other clients. Package sockets limits connections that became WebSockets.
type connections struct {
	net.Listener
	limit, limitPerAddress int // limitPerAddress below 0: no limit
	// rate limits new connections of each address: a TLS handshake costs the server more than the client.
	rate    *addresses.Limiter
	metrics *connectionMetrics
	// hellos are the turns of TLS handshakes; nil without TLS.
	hellos *turns
	// source knows the trusted proxies; nil: there are none. With headers, their connections begin with a header of the
	// PROXY protocol.
	source  *addresses.Source
	headers bool
	// strange is told of clients that send such a header and are no trusted proxies; may be nil.
	strange func(netip.Addr)

	mu   sync.Mutex
	open int
	of   map[netip.Addr]int
}

type connectionMetrics struct {
	open                                      prometheus.Gauge
	refused, refusedAddress, refusedRate      prometheus.Counter
	withoutRequest, refusedQueue, refusedWait prometheus.Counter
	refusedHeader, refusedStranger            prometheus.Counter
	waiting                                   prometheus.Gauge
}

func newConnectionMetrics(reg prometheus.Registerer) (*connectionMetrics, error) {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_connections_refused_total",
		Help: "Connections closed before any request, by the limit that was reached."}, []string{"limit"})
	m := &connectionMetrics{
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "p2pstream_tracker_connections",
			Help: "Open connections that are not WebSockets."}),
		refused: refused.WithLabelValues("connections"), refusedAddress: refused.WithLabelValues("connections_per_address"),
		refusedRate: refused.WithLabelValues("connection_rate_of_address"), refusedQueue: refused.WithLabelValues("handshakes"),
		refusedWait: refused.WithLabelValues("handshake_wait"), refusedHeader: refused.WithLabelValues("proxy_header"),
		refusedStranger: refused.WithLabelValues("proxy_not_trusted"),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{Name: "p2pstream_tracker_handshakes_waiting",
			Help: "TLS handshakes waiting for their turn to compute."}),
	}
	m.withoutRequest = prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_tracker_connections_without_request_total",
		Help: "Connections that ended before a complete request header: silent, slow, header too long, or not HTTP."})
	for _, c := range []prometheus.Collector{m.open, refused, m.withoutRequest, m.waiting} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

func newConnections(l net.Listener, limits LimitsConfig, m *connectionMetrics) *connections {
	return &connections{Listener: l, limit: limits.Connections, limitPerAddress: limits.ConnectionsPerAddress, metrics: m,
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

// add counts a connection, or returns nil if a limit refuses it. The connections of a trusted proxy are those of many
// clients, so they have no limit of their address: with the PROXY protocol their clients' limits hold as soon as its header
// is read, and else those of sockets and requests.
func (l *connections) add(c net.Conn) *connection {
	peer := addresses.Peer(c.RemoteAddr().String())
	from, proxied := addresses.Key(peer), l.source.Trusts(peer)
	if proxied {
		from = netip.Addr{}
	} else if !l.rate.Allow(from, time.Now()) {
		l.metrics.refusedRate.Inc()
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.full(from):
		l.metrics.refusedAddress.Inc()
		return nil
	case l.open >= l.limit:
		l.metrics.refused.Inc()
		return nil
	}
	l.open++
	l.count(from)
	l.metrics.open.Inc()
	own := &connection{Conn: c, l: l, from: from, expectsHeader: proxied && l.headers, stranger: !proxied && l.headers}
	own.shaking.Store(l.hellos != nil)
	return own
}

// full, count and uncount use the number of an address's connections. The caller holds the lock.
func (l *connections) full(from netip.Addr) bool {
	return from.IsValid() && l.limitPerAddress >= 0 && l.of[from] >= l.limitPerAddress
}

func (l *connections) count(from netip.Addr) {
	if from.IsValid() {
		l.of[from]++
	}
}

func (l *connections) uncount(from netip.Addr) {
	if !from.IsValid() {
		return
	}
	if l.of[from]--; l.of[from] <= 0 {
		delete(l.of, from)
	}
}

// errAddressLimit says that a client has too many connections, or opens them too fast.
var errAddressLimit = errors.New("too many connections of one address")

// move counts a connection for another address. It returns errAddressLimit if that one has too many.
func (l *connections) move(c *connection, to netip.Addr) error {
	if !l.rate.Allow(to, time.Now()) {
		l.metrics.refusedRate.Inc()
		return errAddressLimit
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full(to) {
		l.metrics.refusedAddress.Inc()
		return errAddressLimit
	}
	if !c.ended {
		l.uncount(c.from)
		c.from = to
		l.count(to)
	}
	return nil
}

// crowded reports whether more than half of a limit is used, in total or for the connection's address, so that connections should not
// be kept open for further requests.
func (l *connections) crowded(c *connection) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open > l.limit/2 || c.from.IsValid() && l.limitPerAddress >= 0 && l.of[c.from] > l.limitPerAddress/2
}

// watchConnections makes a server report which connections became WebSockets, and close connections after each request
// when there are many.
func watchConnections(server *http.Server) {
	server.ConnState = func(c net.Conn, state http.ConnState) {
		own := connectionOf(c)
		switch {
		case own == nil:
		case state == http.StateActive: // a request has arrived
			own.shaken()
		case state == http.StateHijacked:
			own.done()
		}
	}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, connectionOf(c))
	}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if own, _ := r.Context().Value(connectionKey{}).(*connection); own != nil {
			own.requested.Store(true)
			if own.l.crowded(own) {
				w.Header().Set("Connection", "close")
			}
		}
		next.ServeHTTP(w, r)
	})
}

type connectionKey struct{}
