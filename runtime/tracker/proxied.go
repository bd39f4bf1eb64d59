package tracker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"

	proxyproto "github.com/pires/go-proxyproto"
	"golang.org/x/time/rate"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// newSource returns what finds the addresses of clients behind proxies; nil if these are those of the sockets.
func newSource(cfg config.ClientAddressConfig, reg prometheus.Registerer) (*addresses.Source, error) {
	problems := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_client_address_problems_total",
		Help: "Requests of trusted proxies whose headers do not say who the client is, by reason."}, []string{"reason"})
	if err := reg.Register(problems); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	for _, p := range addresses.Problems {
		problems.WithLabelValues(string(p))
	}
	if cfg.From == "" || cfg.From == config.FromSocket {
		return nil, nil
	}
	return &addresses.Source{Headers: cfg.From == config.FromForwarded, Trusted: cfg.Trusted(),
		Problem: func(p addresses.Problem) { problems.WithLabelValues(string(p)).Inc() }}, nil
}

// withClients makes a handler find the clients of its requests by addresses.From.
func withClients(source *addresses.Source, next http.Handler) http.Handler {
	if source == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := addresses.Peer(r.RemoteAddr)
		if own, _ := r.Context().Value(connectionKey{}).(*connection); own != nil && own.client.IsValid() {
			peer = own.client
		}
		next.ServeHTTP(w, r.WithContext(addresses.With(r.Context(), source.Client(r, peer))))
	})
}

// maxProxyHeader is the longest header of the PROXY protocol, in bytes. Version 1 has at most 107; load balancers of clouds
// add some hundred to version 2.
const maxProxyHeader = 2048

// readClient reads the header of the PROXY protocol that begins a proxy's connection, and counts the connection for its
// client from then on. The server has set a deadline for the first read. A header of the proxy itself, as in health checks,
// leaves the proxy as the client.
func (c *connection) readClient() error {
	r := bufio.NewReaderSize(io.LimitReader(c.Conn, maxProxyHeader), 256)
	header, err := proxyproto.Read(r)
	if err != nil {
		c.l.metrics.refusedHeader.Inc()
		return fmt.Errorf("reading the PROXY header of a trusted proxy: %w", err)
	}
	c.expectsHeader = false
	if r.Buffered() > 0 {
		c.begun = r
	}
	source, ok := header.SourceAddr.(*net.TCPAddr)
	if !ok || header.Command.IsLocal() {
		return nil
	}
	addr, ok := netip.AddrFromSlice(source.IP)
	if !ok {
		return nil
	}
	c.client = addr.Unmap()
	return c.l.move(c, addresses.Key(c.client))
}

// beginsWithHeader tells whether the first bytes of a connection are those of a header of the PROXY protocol, and neither of a
// request nor of TLS.
func beginsWithHeader(b []byte) bool {
	for _, begin := range []string{"PROXY TCP", "PROXY UNKNOWN", "\r\n\r\n\x00\r\nQUIT\n"} {
		if bytes.HasPrefix(b, []byte(begin)) {
			return true
		}
	}
	return false
}

var errStranger = errors.New("a header of the PROXY protocol from a client that is no trusted proxy")

// refuseStranger says that a proxy is not trusted: kube-proxy and other routers hide its address behind one that is not expected,
// and "400 Bad Request" would be all that its owner learns.
func (l *connections) refuseStranger(c *connection) error {
	l.metrics.refusedStranger.Inc()
	if l.strange != nil {
		l.strange(addresses.Peer(c.RemoteAddr().String()))
	}
	return errStranger
}

// newStrange returns what logs the addresses of such proxies, some a minute.
func newStrange(log *slog.Logger) func(netip.Addr) {
	limit := rate.NewLimiter(rate.Every(20*time.Second), 3)
	return func(addr netip.Addr) {
		if limit.Allow() {
			log.Warn("PROXY header refused: clientAddress.trustedProxies does not have the address from which it came", "address", addr)
		}
	}
}

// readOn reads what follows the header, of which the first bytes were read with it.
func (c *connection) readOn(b []byte) (int, error) {
	if c.begun == nil {
		return c.Conn.Read(b)
	}
	n, err := c.begun.Read(b[:min(len(b), c.begun.Buffered())])
	if c.begun.Buffered() == 0 {
		c.begun = nil
	}
	return n, err
}
