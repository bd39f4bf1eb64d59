package tracker

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/stun"
)

// Timing of STUN probes. A server that does not answer delays each announce of a browser by 5 s, so a silent one is
// soon left out of the viewer configuration.
const (
	stunProbeEvery   = 5 * time.Second
	stunProbeTimeout = time.Second
	stunMisses       = 2 // consecutive, before a server counts as not answering
	stunFileEvery    = time.Second
	// stunUnheard is how long a server that never answered is left out while no other one answers. The tracker asks from inside of
	// the cluster, where the address that viewers use need not lead to the server.
	stunUnheard = time.Minute
)

// stunWatch tracks which STUN servers are configured and which of them answer.
type stunWatch struct {
	log   *slog.Logger
	fixed []string
	file  *watch.Value[[]string] // nil: only the fixed ones
	probe func(ctx context.Context, address string) error

	mu     sync.Mutex
	list   []string       // in the order of configuration; replaced, never changed
	misses map[string]int // failed probes in a row; absent: not probed yet
	// unheard are servers that never answered, and when they were asked first.
	unheard map[string]time.Time
}

// newSTUNWatch returns a watch of the servers that are configured and those that file lists, if it is not empty.
func newSTUNWatch(fixed []string, file string, log *slog.Logger) *stunWatch {
	w := &stunWatch{log: log, fixed: fixed, misses: make(map[string]int), unheard: make(map[string]time.Time), probe: func(ctx context.Context, address string) error {
		_, err := stun.Probe(ctx, address)
		return err
	}}
	if file != "" {
		w.file = watchSTUNFile(file, log)
		if _, err := w.file.Get(); err != nil {
			log.Error("the list of STUN servers cannot be used; continuing without it", "error", err)
		}
	}
	w.update(w.configured())
	return w
}

// newSTUN prepares the watch of the tracker's servers.
func (s *Server) newSTUN() error {
	fixed, file := defaultSTUN(s.cfg)
	s.stun = newSTUNWatch(fixed, file, s.log)
	return nil
}

// configured returns all servers to probe now, without duplicates.
func (w *stunWatch) configured() []string {
	all := w.fixed
	if w.file != nil {
		listed, _ := w.file.Get() // nil on an error, which has been logged
		all = append(append([]string(nil), w.fixed...), listed...)
	}
	seen := make(map[string]bool, len(all))
	out := make([]string, 0, len(all))
	for _, server := range all {
		if !seen[server] {
			seen[server] = true
			out = append(out, server)
		}
	}
	return out
}

// update replaces the list, and drops the state of servers that are no longer in it.
func (w *stunWatch) update(list []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	misses, unheard := make(map[string]int, len(list)), make(map[string]time.Time)
	for _, server := range list {
		if n, asked := w.misses[server]; asked {
			misses[server] = n
		}
		if since, silent := w.unheard[server]; silent {
			unheard[server] = since
		}
	}
	w.list, w.misses, w.unheard = list, misses, unheard
}

// servers returns the current servers, whether they answer or not.
func (w *stunWatch) servers() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.list
}

// ready reports whether a server answers; it is false until the first probe has finished.
func (w *stunWatch) ready(server string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers(server)
}

func (w *stunWatch) answers(server string) bool {
	misses, asked := w.misses[server]
	return asked && misses < stunMisses
}

// given reports whether viewers are told to use a server: it answers; or no server does, and it may be that only viewers reach it.
func (w *stunWatch) given(server string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answers(server) {
		return true
	}
	since, silent := w.unheard[server]
	return silent && time.Since(since) >= stunUnheard && !slices.ContainsFunc(w.list, w.answers)
}

// run probes all servers, and follows the list, until ctx ends.
func (w *stunWatch) run(ctx context.Context) {
	var probes sync.WaitGroup
	defer probes.Wait()
	running := make(map[string]context.CancelFunc)
	look := time.NewTicker(stunFileEvery)
	defer look.Stop()
	for {
		list := w.servers()
		for _, server := range list {
			if running[server] == nil {
				probing, stop := context.WithCancel(ctx)
				running[server] = stop
				probes.Go(func() { w.follow(probing, server) })
			}
		}
		keep := make(map[string]bool, len(list))
		for _, server := range list {
			keep[server] = true
		}
		for server, stop := range running {
			if !keep[server] {
				stop()
				delete(running, server)
			}
		}
		select {
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return
		case <-look.C:
		}
		if w.file != nil {
			w.file.Check()
			w.update(w.configured())
		}
	}
}

// follow probes one server until ctx ends.
func (w *stunWatch) follow(ctx context.Context, server string) {
	tick := time.NewTicker(stunProbeEvery)
	defer tick.Stop()
	address := probeAddress(server)
	for {
		probe, cancel := context.WithTimeout(ctx, stunProbeTimeout)
		err := w.probe(probe, address)
		cancel()
		w.note(ctx, server, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// probeAddress returns the host:port of a STUN URI (RFC 7064: the default port is 3478).
func probeAddress(server string) string {
	address := strings.TrimPrefix(server, "stun:")
	if colon := strings.LastIndexByte(address, ':'); colon > strings.LastIndexByte(address, ']') {
		return address
	}
	return address + ":3478"
}

// note records the result of a probe, unless the server has been removed from the list.
func (w *stunWatch) note(ctx context.Context, server string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	before, asked := w.misses[server]
	if err == nil {
		w.misses[server] = 0
		delete(w.unheard, server)
		if before >= stunMisses {
			w.log.Info("STUN server answers again", "server", server)
		}
		return
	}
	if !asked {
		w.unheard[server] = time.Now()
		before = stunMisses - 1 // one failed probe is enough for a server that never answered
	}
	w.misses[server] = min(before+1, stunMisses)
	if before < stunMisses && before+1 >= stunMisses {
		w.log.Warn("STUN server does not answer; viewers are not told to use it, unless none has answered for a minute", "server", server, "error", err)
	}
}
