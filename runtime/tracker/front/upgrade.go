package front

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
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	refuse := func(limit string, status int) {
		f.metrics.refused.WithLabelValues(limit).Inc()
		if f.logLimit.Allow() {
			f.log.Warn("socket refused", "reason", limit, "address", r.RemoteAddr, "origin", short(r.Header.Get("Origin")))
		}
		http.Error(w, limit, status)
	}
	// Browsers always send their origin; other programs can send any, so it protects nothing where it is missing.
	if origin := r.Header.Get("Origin"); origin != "" && !f.cfg.Origin(origin, r.Host) {
		refuse("origin", http.StatusForbidden)
		return
	}
	seeder, ok := f.authorize(r)
	if !ok {
		refuse("token", http.StatusUnauthorized)
		return
	}
	c := &conn{front: f, address: addresses.Of(r.RemoteAddr), seeder: seeder}
	if limit := f.tooOften(c); limit != "" {
		w.Header().Set("Retry-After", "2")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	if limit := f.enter(c); limit != "" {
		w.Header().Set("Retry-After", "5")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	factor := 1
	if seeder {
		factor = seederFactor
	}
	paced := hijacker{w, float64(factor * f.cfg.BytesPerSecond), float64(factor * f.cfg.ByteBurst)}
	ws, err := f.upgrader.Upgrade(paced, r, http.Header{signaling.TrackerHeader: {"1"}})
	if err != nil {
		f.metrics.refused.WithLabelValues("handshake").Inc()
		f.leave(c)
		return
	}
	c.ws, c.net, c.raw = ws, ws.NetConn(), below(ws.NetConn())
	c.boundKernel()
	client := Client{Seeder: seeder}
	if session := r.URL.Query().Get("session"); session != "" {
		client.Session = strings.Clone(session[:min(len(session), 256)])
	}
	f.begin(c)
	f.metrics.opened.Inc()
	go c.read(f.handler, client)
}

// seederFactor is how many times as much as a viewer a seeder may send.
const seederFactor = 20

// shortLength is how much of what a stranger sent stands in the log.
const shortLength = 100

func short(s string) string { return s[:min(len(s), shortLength)] }

// tooOften names the limit that an upgrade hits by coming too soon after others. The address comes first: whoever is
// over its own share must not use up everybody's.
func (f *Front) tooOften(c *conn) (limit string) {
	switch {
	case c.seeder:
		return ""
	case !f.byAddress.Allow(c.address, time.Now()):
		return "upgrade_rate_of_address"
	case !f.upgrades.Allow():
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
func (f *Front) authorize(r *http.Request) (seeder, ok bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return false, true
	}
	want := f.cfg.Token()
	kind, got, _ := strings.Cut(header, " ")
	if want == "" || !strings.EqualFold(kind, "Bearer") {
		return false, want == ""
	}
	return true, subtle.ConstantTimeCompare([]byte(strings.TrimSpace(got)), []byte(want)) == 1
}
