package overview

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// staleAfter is the age from which on what a tracker said is not known any more: several questions had no answer.
const staleAfter = time.Minute

// mostBytes is what the past of all streams together may take: one history of 64 sites has 2.7 MiB.
const mostBytes = 8 << 20

// Board remembers all streams.
type Board struct {
	network *dashboard.Network
	now     func() time.Time
	leads   atomic.Bool

	mu      sync.Mutex
	streams map[types.NamespacedName]heard
}

// heard is what was heard of a stream last; nil: nothing yet.
type heard struct {
	at    time.Time
	stats *stats.Stats
}

// NewBoard returns a board without streams. now is the clock; nil is the real one.
func NewBoard(now func() time.Time) *Board {
	if now == nil {
		now = time.Now
	}
	return &Board{network: dashboard.NewNetwork(dashboard.OfCluster, now()), now: now, streams: map[types.NamespacedName]heard{}}
}

// Hear notes what the tracker of a stream said at a moment, which is not changed later; nil: there is no answer yet.
func (b *Board) Hear(stream types.NamespacedName, at time.Time, s *stats.Stats) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.streams[stream] = heard{at, s}
}

// Reset drops all streams, and nothing of their past. Those that are there are heard of again.
func (b *Board) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.streams)
}

// Forget drops a stream that is not there any more.
func (b *Board) Forget(stream types.NamespacedName) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.streams, stream)
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: only the operator that acts hears of streams.
func (b *Board) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It takes samples until ctx ends.
func (b *Board) Start(ctx context.Context) error {
	b.leads.Store(true)
	defer b.leads.Store(false)
	tick := time.NewTicker(history.FineStep)
	defer tick.Stop()
	for {
		b.sample()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sample takes what is known of all streams.
func (b *Board) sample() {
	now := b.now()
	b.mu.Lock()
	all := make(map[types.NamespacedName]heard, len(b.streams))
	for name, h := range b.streams {
		all[name] = h
	}
	b.mu.Unlock()
	round := b.network.Begin(now)
	for name, h := range all {
		if h.stats == nil || now.Sub(h.at) > staleAfter {
			round.Unknown(name.Namespace, name.Name)
			continue
		}
		round.Add(name.Namespace, name.Name, *h.stats)
	}
	round.End()
	history.Fit([]history.Shared{b.network.Past}, mostBytes)
}
