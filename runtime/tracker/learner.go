package tracker

import (
	"context"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// formerFor is for how long the swarms of renditions that have left the manifest are still served: pages that play them go
// on until they change to another quality or are loaded again.
const formerFor = 10 * time.Minute

// learner keeps the known swarms, and with only also the allowed ones, at those of the stream's renditions.
type learner struct {
	stream *stream
	facts  viewerapi.StreamFacts
	only   bool

	mu     sync.Mutex
	at     time.Time
	swarm  string
	former map[string]time.Time // info hash → when it was last one of the stream's
}

// run looks once in a second until ctx ends.
func (l *learner) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.look()
		}
	}
}

// look takes the swarms of the stream as it was last read. It tells whether it was read anew since the last look.
func (l *learner) look() bool {
	f := l.facts.Facts()
	l.mu.Lock()
	defer l.mu.Unlock()
	if f.At.IsZero() || (f.At.Equal(l.at) && f.SwarmID == l.swarm) || len(f.Renditions) == 0 {
		return false
	}
	l.at, l.swarm = f.At, f.SwarmID
	now := time.Now()
	if l.former == nil {
		l.former = map[string]time.Time{}
	}
	for _, h := range f.FormerHashes {
		l.former[h] = now
	}
	for _, r := range f.Renditions {
		for _, h := range r.InfoHashes {
			l.former[h] = now
		}
	}
	hashes := make([]signaling.ID, 0, len(l.former))
	for h, last := range l.former {
		if now.Sub(last) > formerFor {
			delete(l.former, h)
			continue
		}
		if id, err := signaling.MakeID(h); err == nil {
			hashes = append(hashes, id)
		}
	}
	l.stream.hub.know(hashes)
	if l.only {
		l.stream.hub.allow(hashes)
	}
	l.stream.server.streams.claim(l.stream, hashes)
	return true
}
