package front

import (
	"crypto/subtle"
	"net/http"
	"strings"
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
			f.log.Warn("socket refused", "reason", limit, "address", r.RemoteAddr, "origin", r.Header.Get("Origin"))
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
	if !seeder && !f.upgrades.Allow() {
		w.Header().Set("Retry-After", "2")
		refuse("upgrade_rate", http.StatusServiceUnavailable)
		return
	}
	c := &conn{front: f, address: hostOf(r.RemoteAddr), seeder: seeder}
	if limit := f.enter(c); limit != "" {
		w.Header().Set("Retry-After", "5")
		refuse(limit, http.StatusServiceUnavailable)
		return
	}
	ws, err := f.upgrader.Upgrade(w, r, nil)
	if err != nil {
		f.metrics.refused.WithLabelValues("handshake").Inc()
		f.leave(c)
		return
	}
	c.ws, c.net, c.raw = ws, ws.NetConn(), below(ws.NetConn())
	client := Client{Seeder: seeder}
	if session := r.URL.Query().Get("session"); session != "" {
		client.Session = strings.Clone(session[:min(len(session), 256)])
	}
	f.begin(c)
	f.metrics.opened.Inc()
	go c.read(f.handler, client)
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
