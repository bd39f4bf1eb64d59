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
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// pages serves the bundled pages and the configuration of each tab.
type pages struct {
	base   string
	server *http.Server
	done   chan struct{} // closed when the server has ended

	mu   sync.Mutex
	tabs []tabConfig
}

// blankPath is where a page is that does nothing.
const blankPath = "/blank"

// servePages listens on the loopback of the network that the browser lives in: a browser trusts loopback
// with digests, as it trusts https, and needs no way out of its network for it.
func servePages(o options) (*pages, error) {
	root, err := lab.Root()
	if err != nil {
		return nil, err
	}
	dist := filepath.Join(root, "test", "interop", "dist")
	if _, err := os.Stat(filepath.Join(dist, "hls.html")); err != nil {
		return nil, fmt.Errorf("finding the bundled pages: %w; run: make web", err)
	}
	listen := new(net.ListenConfig).Listen
	if o.namespace != nil {
		listen = o.namespace.Listen
	}
	l, err := listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for pages: %w", err)
	}
	p := &pages{base: "http://" + l.Addr().String(), done: make(chan struct{})}
	if o.certificate != nil {
		p.base = "https://" + l.Addr().String()
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*o.certificate}, MinVersion: tls.VersionTLS12})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(dist)))
	mux.HandleFunc("GET /tabs/{id}", p.serveTab)
	mux.HandleFunc("GET "+blankPath, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html><title>blank</title>")) // a tab that went away needs no answer
	})
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(p.done)
		_ = p.server.Serve(l) // ends with ErrServerClosed
	}()
	return p, nil
}

func (p *pages) close() {
	_ = p.server.Close() // what is under way is for tabs that are gone
	<-p.done
}

// add returns the URL of a page that gets the configuration c.
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
