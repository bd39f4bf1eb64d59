package sockets

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
)

// IsUpgrade reports whether a request wants to become a WebSocket.
func IsUpgrade(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("Upgrade")), "websocket")
}

// ServeHTTP upgrades a request and hands the socket to its own goroutine, so that nothing of the HTTP server's
// buffers and stack stays with it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(limit string, status int) {
		s.metrics.refused.WithLabelValues(limit).Inc()
		if s.logLimit.Allow() {
			s.log.Warn("socket refused", "reason", limit, "address", r.RemoteAddr, "origin", short(r.Header.Get("Origin")))
		}
		http.Error(w, limit, status)
	}
	// Browsers always send their origin; other programs can send any, so it protects nothing where it is missing.
	if origin := r.Header.Get("Origin"); origin != "" && !s.cfg.Origin(origin, r.Host) {
		refuse("origin", http.StatusForbidden)
		return
	}
	seeder, ok := s.authorize(r)
	if !ok {
		refuse("token", http.StatusUnauthorized)
		return
	}
	c := &conn{server: s, address: addresses.Of(r.RemoteAddr), seeder: seeder}
	if limit := s.tooOften(c); limit != "" {
		w.Header().Set("Retry-After", "2")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	if limit := s.enter(c); limit != "" {
		w.Header().Set("Retry-After", "5")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	factor := 1
	if seeder {
		factor = seederFactor
	}
	paced := hijacker{w, float64(factor * s.cfg.BytesPerSecond), float64(factor * s.cfg.ByteBurst)}
	ws, err := s.upgrader.Upgrade(paced, r, http.Header{signaling.TrackerHeader: {"1"}})
	if err != nil {
		s.metrics.refused.WithLabelValues("handshake").Inc()
		s.leave(c)
		return
	}
	c.ws, c.net, c.raw = ws, ws.NetConn(), below(ws.NetConn())
	c.boundKernel()
	client := Client{Seeder: seeder}
	if session := r.URL.Query().Get("session"); session != "" {
		client.Session = strings.Clone(session[:min(len(session), 256)])
	}
	s.begin(c)
	s.metrics.opened.Inc()
	go c.read(s.handler, client)
}

// seederFactor is how many times as much as a viewer a seeder may send.
const seederFactor = 20

// shortLength is how much of what a stranger sent stands in the log.
const shortLength = 100

func short(s string) string { return s[:min(len(s), shortLength)] }

// tooOften names the limit that an upgrade hits by coming too soon after others. The address comes first: whoever is
// over its own share must not use up everybody's.
func (s *Server) tooOften(c *conn) (limit string) {
	switch {
	case c.seeder:
		return ""
	case !s.byAddress.Allow(c.address, time.Now()):
		return "upgrade_rate_of_address"
	case !s.upgrades.Allow():
		return "upgrade_rate"
	}
	return ""
}

// boundKernel bounds what the kernel holds for a client that does not read: left to itself it takes megabytes for each.
func (c *conn) boundKernel() {
	if b, ok := c.raw.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = b.SetWriteBuffer(c.sendLimit()) // without it only the kernel's own bound holds
	}
}

// authorize tells seeders from viewers. A wrong token is refused: whoever sends one believes to be a seeder.
func (s *Server) authorize(r *http.Request) (seeder, ok bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return false, true
	}
	want := s.cfg.Token()
	kind, got, _ := strings.Cut(header, " ")
	if want == "" || !strings.EqualFold(kind, "Bearer") {
		return false, want == ""
	}
	return true, subtle.ConstantTimeCompare([]byte(strings.TrimSpace(got)), []byte(want)) == 1
}
