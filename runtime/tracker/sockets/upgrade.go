package sockets

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/internal/tokenbucket"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// IsUpgrade reports whether a request asks for an upgrade to WebSocket.
func IsUpgrade(r *http.Request) bool {
	return strings.EqualFold(strings.TrimSpace(r.Header.Get("Upgrade")), "websocket")
}

// ServeHTTP upgrades a request and starts a goroutine for the socket, so that the HTTP server's buffers and stack are
// released.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(limit string, status int) {
		s.count(r, limit)
		http.Error(w, limit, status)
	}
	g := s.cfg.Route(r)
	if g == nil {
		refuse("unknown_stream", http.StatusNotFound)
		return
	}
	// Browsers always send their origin. The door decides about clients without one.
	if origin := r.Header.Get("Origin"); origin != "" && !g.cfg.Origin(origin, r.Host) {
		refuse("origin", http.StatusForbidden)
		return
	}
	seeder, join, limit := g.authorize(r)
	if limit != "" {
		refuse(limit, http.StatusUnauthorized)
		return
	}
	if site := r.URL.Query().Get("site"); join.ID != "" && site != "" && site != join.Site {
		refuse("other_site", http.StatusForbidden)
		return
	}
	var ticket tickets.Ticket
	if g.cfg.Door != nil {
		var refused *Refusal
		if ticket, refused = g.cfg.Door(r, seeder); refused != nil {
			s.count(r, refused.Limit)
			http.Error(w, refused.Text, refused.Status)
			return
		}
	}
	from := addresses.From(r).Addr
	c := &conn{server: s, group: g, address: addresses.Key(from), seeder: seeder}
	if limit := s.exceededRate(c); limit != "" {
		w.Header().Set("Retry-After", "2")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	limit, victim := s.reserve(c)
	if victim != nil {
		victim.Close(ReasonShare)
	}
	if limit != "" {
		w.Header().Set("Retry-After", "5")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	pace := tokenbucket.Rate{PerSecond: float64(s.cfg.BytesPerSecond), Burst: float64(s.cfg.ByteBurst)}
	if seeder {
		pace = pace.Scale(seederFactor)
	}
	paced := hijacker{w, c, pace}
	ws, err := s.upgrader.Upgrade(paced, r, http.Header{signaling.TrackerHeader: {"1"}})
	if err != nil {
		s.metrics.refused.WithLabelValues("handshake").Inc()
		s.release(c)
		return
	}
	c.ws, c.net, c.raw = ws, ws.NetConn(), innermost(ws.NetConn())
	if r.TLS != nil {
		c.reader.tls, _ = c.raw.(interface{ LargestRead() int })
	}
	c.limitKernelBuffer()
	client := Client{Seeder: seeder, Ticket: ticket, Address: c.address, Remote: from}
	if session := r.URL.Query().Get("session"); session != "" {
		client.Session = kept(session)
	}
	if g.cfg.KeepRequest {
		client.Origin, client.Host, client.Presented = kept(r.Header.Get("Origin")), kept(r.Host), kept(r.URL.Query().Get("t"))
	}
	switch {
	case join.ID != "":
		client.Join, client.Site, client.Session = join, join.Site, join.Name()
	case seeder:
		client.Site = strings.Clone(r.URL.Query().Get("site"))
	}
	s.begin(c)
	s.metrics.opened.Inc()
	go c.read(g.cfg.Handler, client)
}

// kept returns a copy of a text, without the rest of the request, of at most 256 bytes.
func kept(text string) string { return strings.Clone(text[:min(len(text), 256)]) }

// count counts a refused upgrade, and logs some of them.
func (s *Server) count(r *http.Request, limit string) {
	s.metrics.refused.WithLabelValues(limit).Inc()
	if s.logLimit.Allow() {
		s.log.Warn("socket refused", "reason", limit, "address", addresses.From(r).Addr, "origin", truncate(r.Header.Get("Origin")))
	}
}

// seederFactor is how many times as many bytes as a viewer a seeder may send.
const seederFactor = 20

// maxLoggedLength limits text from clients in log lines, in bytes.
const maxLoggedLength = 100

func truncate(s string) string { return s[:min(len(s), maxLoggedLength)] }

// exceededRate returns the name of the rate limit that refuses an upgrade, or "". The limit of the address is checked
// first: a client above it must not use up the tokens that all clients share.
func (s *Server) exceededRate(c *conn) (limit string) {
	switch {
	case c.seeder:
		return ""
	case !s.byAddress.Allow(c.address, time.Now()):
		return "upgrade_rate_of_address"
	case !s.upgrades.Allow() && !s.assured(c.group):
		return "upgrade_rate"
	}
	return ""
}

// limitKernelBuffer limits what the kernel buffers for a client that does not read: megabytes for each by default.
func (c *conn) limitKernelBuffer() {
	if b, ok := c.raw.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = b.SetWriteBuffer(c.sendLimit()) // on failure the kernel's default applies
	}
}

// authorize distinguishes seeders from viewers, and returns the limit that refuses a client, or "". It refuses a wrong token
// instead of accepting its sender as a viewer, so that a misconfigured seeder is noticed.
func (g *Group) authorize(r *http.Request) (seeder bool, join joins.Credential, limit string) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return false, join, ""
	}
	var seeders doors.Seeders
	if g.cfg.Seeders != nil {
		seeders = g.cfg.Seeders()
	}
	kind, got, _ := strings.Cut(header, " ")
	switch {
	case seeders.None():
		return false, join, ""
	case !strings.EqualFold(kind, "Bearer"):
		return false, join, "token"
	}
	got = strings.TrimSpace(got)
	if seeders.Has(got) {
		return true, join, ""
	}
	if g.cfg.Join == nil || !joins.Is(got) {
		return true, join, "token"
	}
	join, err := g.cfg.Join(got)
	switch {
	case err == nil:
		return true, join, ""
	case errors.Is(err, joins.ErrExpired):
		return true, join, "expired_join"
	case errors.Is(err, joins.ErrRevoked):
		return true, join, "revoked_join"
	case errors.Is(err, joins.ErrSite):
		return true, join, "unknown_site"
	}
	return true, join, "forged_join"
}
