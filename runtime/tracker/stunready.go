package tracker

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/stun"
)

// Pauses and patience of STUN probes. A server that does not answer costs a
// browser 5 s before each announce, so a silent one is soon not handed out.
const (
	stunProbeEvery   = 5 * time.Second
	stunProbeTimeout = time.Second
	stunMisses       = 2 // in a row, before a server counts as away
)

// stunWatch knows which STUN servers answer.
type stunWatch struct {
	log *slog.Logger

	mu     sync.Mutex
	misses map[string]int // by server as configured; absent: not asked yet
}

func newSTUNWatch(log *slog.Logger) *stunWatch {
	return &stunWatch{log: log, misses: make(map[string]int)}
}

// ready tells whether a server answers; one that was never asked does not.
func (w *stunWatch) ready(server string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	misses, asked := w.misses[server]
	return asked && misses < stunMisses
}

// run probes a server until ctx ends.
func (w *stunWatch) run(ctx context.Context, server string) {
	tick := time.NewTicker(stunProbeEvery)
	defer tick.Stop()
	address := strings.TrimPrefix(server, "stun:")
	for {
		probe, cancel := context.WithTimeout(ctx, stunProbeTimeout)
		_, err := stun.Probe(probe, address)
		cancel()
		if ctx.Err() != nil {
			return
		}
		w.note(server, err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *stunWatch) note(server string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before, asked := w.misses[server]
	if err == nil {
		w.misses[server] = 0
		if before >= stunMisses {
			w.log.Info("STUN server answers again", "server", server)
		}
		return
	}
	if !asked {
		before = stunMisses - 1 // a server that never answered is away at once
	}
	w.misses[server] = min(before+1, stunMisses)
	if before < stunMisses && before+1 >= stunMisses {
		w.log.Warn("STUN server does not answer and is not handed out", "server", server, "error", err)
	}
}
