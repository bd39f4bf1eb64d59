package rendition

import (
	"math/rand/v2"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// driver carries out what the rendition's core decides. The rendition's owner calls it.
type driver struct{ r *Rendition }

// coreOf are the settings of a rendition's core.
func (r *Rendition) coreOf() core.Config {
	s := &r.shared.Settings
	return core.Config{
		Seeder: s.Seeder, Edge: s.Edge, OnDemand: s.OnDemand, Alone: r.alone(), Generations: s.Generations,
		Bandwidth: r.info.Bandwidth, Seed: r.shared.Seed, Random: rand.Float64,
		Patience: s.Patience, WaitLimit: s.WaitLimit,
		LiveDelay: s.LiveDelay, LiveDelaySegments: s.LiveDelaySegments, StartupWait: s.StartupWait, PrefetchDelay: s.PrefetchDelay,
		Limits: s.Limits, SeedersHold: s.SeedersHold, NewReaders: newReaders,
	}
}

// Own is the rendition's id in the swarm of the first generation.
func (d driver) Own() (identity.PeerID, bool) {
	if id := d.r.swarms.id.Load(); id != nil {
		return *id, true
	}
	return "", false
}

// Reachable tells whether a peer is or was connected recently.
func (d driver) Reachable(now time.Time) bool { return d.r.shared.Peers.reachable(now) }

// Spare tells whether another transfer may start.
func (d driver) Spare() bool { return d.r.shared.Transit.Spare() }

// Stored counts a segment, and has its hash computed.
func (d driver) Stored(seg *core.Segment, data []byte) {
	d.r.shared.Counters.Segments.Add(1)
	d.r.note(seg, data)
}

// Release ends the transit of bytes.
func (d driver) Release(bytes int) { d.r.transit.Release(bytes) }

// Discard counts bytes that are not used.
func (d driver) Discard(data []byte) {
	d.r.shared.Counters.Discarded.Add(int64(len(data)))
	d.r.transit.Release(len(data))
}

// Evicted tells all renditions.
func (d driver) Evicted(keys []store.Key) { d.r.shared.Evicted(keys) }

// Known keeps the sum over all renditions.
func (d driver) Known(segments int) { d.r.segments.count(segments) }

// Learned tells connections which ids are of use.
func (d driver) Learned() {
	r := d.r
	p := r.core.Playlist()
	entries := 0
	if p.Live && !p.ByTime {
		entries = p.Entries
	}
	for _, g := range r.shared.Settings.Generations {
		ids, step := r.core.IDs(g)
		r.index.Learn(g, ids, step, entries)
	}
}

// Forgotten has peers get nothing of what was held.
func (d driver) Forgotten() {
	for _, g := range d.r.shared.Settings.Generations {
		d.r.index.SetHeld(g, map[int64]store.Key{})
	}
}

// NewEvent tells the engine, which may leave the swarms.
func (d driver) NewEvent() bool {
	r := d.r
	r.log.Info("a new event has begun, dropping what was held")
	if r.shared.NewEvent == nil || !r.shared.NewEvent(r) {
		return false
	}
	r.swarms.term.Add(1)
	r.sessions, r.named = nil, nil
	r.announcer.forget()
	return true
}

// Reload has the playlist loaded at once.
func (d driver) Reload(manifestToo bool) { d.r.reload(manifestToo) }

// Jumped warns of a viewer that was too slow.
func (d driver) Jumped() {
	d.r.originLog.Warn("playback fell out of the live window, jumping to its start")
}

// TooLarge warns of a segment that can never be held.
func (d driver) TooLarge(seg *core.Segment, bytes, limit int64) {
	d.r.originLog.Warn("a segment is larger than the store", "sequence", seg.Sequence, "bytes", bytes, "store", limit)
}

// Doubted warns that nothing is announced.
func (d driver) Doubted() {
	d.r.originLog.Warn("a new event may have begun; nothing is announced until that is clear")
}
