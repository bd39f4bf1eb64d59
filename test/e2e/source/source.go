// Package source is the origin of the suite's streams: the project's own origin, in the process of the
// test, listening where offices and pods reach it. It counts who fetched what, speaks http and https, and
// can go away and come back.
package source

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin"
)

// Listen makes a listener in the network that the origin lives in.
type Listen func(ctx context.Context, network, address string) (net.Listener, error)

// Origin serves the same streams on two ports: http and https.
type Origin struct {
	listen  Listen
	handler http.Handler

	mu     sync.Mutex
	counts map[netip.Addr]Count
	ports  []*port
}

// port is one of the ports.
type port struct {
	address string
	tls     *tls.Config // nil: http
	server  *http.Server
	done    chan struct{}
}

// quiet discards what the server logs of clients that disconnect early, which is what most of the suite's do.
var quiet = log.New(io.Discard, "", 0)

// Count is what one or several clients fetched.
type Count struct {
	Playlists    int
	Segments     int
	SegmentBytes int64
}

func (c *Count) add(d Count) {
	c.Playlists += d.Playlists
	c.Segments += d.Segments
	c.SegmentBytes += d.SegmentBytes
}

// Start serves http on plain and https on secure, two addresses with ports.
func Start(ctx context.Context, listen Listen, plain, secure string, certificate tls.Certificate) (*Origin, error) {
	s, err := origin.New(origin.Config{}, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("making origin: %w", err)
	}
	o := &Origin{listen: listen, counts: map[netip.Addr]Count{}}
	o.handler = o.count(s.Handler())
	o.ports = []*port{
		{address: plain},
		{address: secure, tls: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}},
	}
	return o, o.Return(ctx)
}

// URL of a path such as /live/master.m3u8, by http.
func (o *Origin) URL(path string) string { return "http://" + o.ports[0].address + path }

// SecureURL of a path, by https.
func (o *Origin) SecureURL(path string) string { return "https://" + o.ports[1].address + path }

// Leave takes the origin away: its ports refuse connections, and transfers are cut.
func (o *Origin) Leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.ports {
		if p.server == nil {
			continue
		}
		_ = p.server.Close() // which cuts transfers on purpose
		<-p.done
		p.server = nil
	}
}

// Return undoes Leave. The origin is a function of URL and clock, so it goes on as if it had never been away.
func (o *Origin) Return(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.ports {
		if p.server != nil {
			continue
		}
		l, err := o.listen(ctx, "tcp", p.address)
		if err != nil {
			return fmt.Errorf("listening for the origin on %s: %w", p.address, err)
		}
		if p.tls != nil {
			l = tls.NewListener(l, p.tls)
		}
		p.server = &http.Server{
			Handler: o.handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet,
		}
		p.done = make(chan struct{})
		go func(s *http.Server, done chan<- struct{}) {
			defer close(done)
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				panic(fmt.Sprintf("serving the origin: %v", err)) // every later result would be meaningless
			}
		}(p.server, p.done)
	}
	return nil
}

// From is what the clients with addresses in prefix fetched since the start.
func (o *Origin) From(prefix netip.Prefix) Count {
	o.mu.Lock()
	defer o.mu.Unlock()
	var sum Count
	for client, c := range o.counts {
		if prefix.Contains(client) {
			sum.add(c)
		}
	}
	return sum
}

// count adds each answer to the counts of its client.
func (o *Origin) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &writer{ResponseWriter: w}
		next.ServeHTTP(counted, r)
		client, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || counted.status >= http.StatusBadRequest {
			return
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		c := o.counts[client.Addr().Unmap()]
		c.add(countOf(r.URL.Path, counted.sent))
		o.counts[client.Addr().Unmap()] = c
	})
}

func countOf(name string, sent int64) Count {
	switch {
	case !strings.HasPrefix(name, "/live/") && !strings.HasPrefix(name, "/vod/"):
		return Count{}
	case path.Ext(name) == ".m3u8":
		return Count{Playlists: 1}
	case strings.HasPrefix(path.Base(name), "init"):
		return Count{}
	}
	return Count{Segments: 1, SegmentBytes: sent}
}

// writer counts what is written.
type writer struct {
	http.ResponseWriter
	status int
	sent   int64
}

func (w *writer) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController find what the server can do.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
