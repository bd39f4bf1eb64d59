package tracker

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// registry knows the swarms of all shards, so that scrapes and statistics need not query the shards.
type registry struct {
	limit int
	// known are the swarms of the stream. They are exempt from the limit, so that clients cannot lock them out by creating
	// other swarms.
	known atomic.Pointer[map[signaling.ID]struct{}]

	mu     sync.RWMutex
	swarms map[signaling.ID]*swarm.Counts
}

func newRegistry(limit int) *registry {
	return &registry{limit: limit, swarms: make(map[signaling.ID]*swarm.Counts)}
}

// Add implements swarm.Registry.
func (r *registry) Add(hash signaling.ID, counts *swarm.Counts, seeder bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.swarms) >= r.limit && !seeder && !r.knows(hash) {
		return false
	}
	r.swarms[hash] = counts
	return true
}

func (r *registry) knows(hash signaling.ID) bool {
	known := r.known.Load()
	if known == nil {
		return false
	}
	_, ok := (*known)[hash]
	return ok
}

// seeded reports whether a seeder is in a swarm.
func (r *registry) seeded(hash signaling.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	counts := r.swarms[hash]
	return counts != nil && counts.Seeders.Load() > 0
}

// Remove implements swarm.Registry.
func (r *registry) Remove(hash signaling.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.swarms, hash)
}

// file returns the state of one swarm for a scrape reply; for a swarm without members it is all zeros.
func (r *registry) file(hash signaling.ID) signaling.ScrapeFile {
	r.mu.RLock()
	counts := r.swarms[hash]
	r.mu.RUnlock()
	f := signaling.ScrapeFile{InfoHash: hash}
	if counts != nil {
		f.Complete = int(counts.Complete.Load())
		f.Incomplete = max(0, int(counts.Peers.Load())-f.Complete)
		f.Downloaded = int(counts.Downloaded.Load())
	}
	return f
}

// totals returns the number of swarms and the memberships of viewers and seeders.
func (r *registry) totals() (swarms, viewers, seeders int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, c := range r.swarms {
		s := int(c.Seeders.Load())
		seeders += s
		viewers += int(c.Peers.Load()) - s
	}
	return len(r.swarms), viewers, seeders
}

func (r *registry) snapshot() []viewerapi.SwarmCount {
	r.mu.RLock()
	all := make([]viewerapi.SwarmCount, 0, len(r.swarms))
	for hash, c := range r.swarms {
		all = append(all, viewerapi.SwarmCount{InfoHash: hash.String(), Peers: int(c.Peers.Load()), Seeders: int(c.Seeders.Load())})
	}
	r.mu.RUnlock()
	slices.SortFunc(all, func(a, b viewerapi.SwarmCount) int { return strings.Compare(a.InfoHash, b.InfoHash) })
	return all
}
