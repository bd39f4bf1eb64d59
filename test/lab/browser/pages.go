package browser

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/repo"
)

// pages serves the bundled pages and what each tab is told.
type pages struct {
	base   string
	server *http.Server

	mu   sync.Mutex
	tabs []tabConfig
}

// servePages listens on the loopback of the network that the browser lives in: a browser trusts loopback
// with digests, as it trusts https, and needs no way out of its network for it.
func servePages(tb testing.TB, o options) *pages {
	tb.Helper()
	dist, err := repo.Path("test", "interop", "dist")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dist, "hls.html")); err != nil {
		tb.Fatalf("the pages are not bundled (%v); run: make web", err)
	}
	listen := func(ctx context.Context, network, address string) (net.Listener, error) {
		return new(net.ListenConfig).Listen(ctx, network, address)
	}
	if o.namespace != nil {
		listen = o.namespace.Listen
	}
	l, err := listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("listening for pages: %v", err)
	}
	p := &pages{base: "http://" + l.Addr().String()}
	if o.certificate != nil {
		p.base = "https://" + l.Addr().String()
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*o.certificate}, MinVersion: tls.VersionTLS12})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("GET /tabs/{id}", p.serveTab)
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = p.server.Serve(l) // ends with ErrServerClosed
	}()
	tb.Cleanup(func() {
		_ = p.server.Close()
		<-done
	})
	return p
}

// add returns the URL of a page that will be told c.
func (p *pages) add(page string, c tabConfig) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tabs = append(p.tabs, c)
	return fmt.Sprintf("%s/%s.html?tab=%d", p.base, page, len(p.tabs)-1)
}

func (p *pages) serveTab(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil || id < 0 || id >= len(p.tabs) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(p.tabs[id]) // a tab that went away needs no answer
}
