package foreign

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// relay is a network path to a tracker that can lose its clients without the tracker noticing, as a laptop that changes
// networks does.
type relay struct {
	t      testing.TB
	listen net.Listener
	target string
	work   sync.WaitGroup

	mu      sync.Mutex
	clients map[net.Conn]struct{}
	ends    []net.Conn // everything, to be closed at the end
	over    bool
}

func newRelay(t testing.TB, tracker string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{t: t, listen: l, target: strings.TrimPrefix(tracker, "ws://"), clients: map[net.Conn]struct{}{}}
	r.work.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		r.over = true
		for _, c := range r.ends {
			_ = c.Close() // most are
		}
		r.mu.Unlock()
		r.work.Wait()
	})
	return r
}

func (r *relay) url() string { return "ws://" + r.listen.Addr().String() }

func (r *relay) accept() {
	for {
		client, err := r.listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			r.t.Errorf("connecting to the tracker: %v", err)
			_ = client.Close()
			continue
		}
		r.mu.Lock()
		if r.over {
			r.mu.Unlock()
			_ = client.Close() // the test is over
			_ = server.Close()
			return
		}
		r.clients[client] = struct{}{}
		r.ends = append(r.ends, client, server)
		r.mu.Unlock()
		r.work.Go(func() {
			_, _ = io.Copy(server, client) // what ends it is not the server's to know
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.clients, client)
		})
		r.work.Go(func() {
			_, _ = io.Copy(client, server) // ends with either
			_, _ = io.Copy(io.Discard, server)
		})
	}
}

// halfClose closes all connections at the clients' end only.
func (r *relay) halfClose() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.clients {
		_ = c.Close()
		delete(r.clients, c)
	}
}

// sockets are those that clients have opened since, and not closed.
func (r *relay) sockets() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.clients)
}
