package viewerapi

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/internal/redact"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

// The answer of /v1/stats is in a package of its own for programs that only read it.
type (
	// Stats is the answer of GET /v1/stats.
	Stats = stats.Stats
	// RenditionStats is one rendition with the swarms of its generations.
	RenditionStats = stats.Rendition
	// SwarmStats is one swarm.
	SwarmStats = stats.Swarm
	// Offload sums what viewers report.
	Offload = stats.Offload
)

// settleTime is how long after its start a tracker does not know yet how many viewers there are: viewers that report
// reconnect within half a minute, which is also the initial announce interval of p2pstream's peers and of
// p2p-media-loader.
const settleTime = 30 * time.Second

// viewersKnown reports whether viewers of an earlier run have had time to reconnect.
func (h *Handler) viewersKnown(now time.Time) bool {
	return now.Sub(h.began) >= max(settleTime, 3*h.cfg.Interval)
}

// Stats computes what /v1/stats answers.
func (h *Handler) Stats() Stats { return h.sums(nil) }

// sums is Stats, and with kept not nil it also marks the totals as read by the reader that stored the kept readings.
func (h *Handler) sums(kept telemetry.Kept) Stats {
	now := h.deps.Now()
	facts, hold := h.facts(), h.currentHolding(now)
	h.mu.Lock()
	var reading int64
	if kept != nil {
		reading = h.aggregate.MarkRead(now, kept)
	}
	summary := h.aggregate.Summary(now)
	total, recent := h.aggregate.Waits(h.cfg.Stream, now)
	h.mu.Unlock()
	sites := h.sitesNow(now, stats.MaxSites)
	audience := h.deps.Swarms.Audience()
	viewers := summary.Stream(h.cfg.Stream, telemetry.RoleViewer)
	seeders := summary.Stream(h.cfg.Stream, telemetry.RoleSeeder)
	out := Stats{Version: stats.Version, Boot: h.boot, StartedAt: h.began.UTC(), Now: now.UTC(), Stream: h.cfg.Stream,
		StreamURL: redact.URL(h.cfg.StreamURL), SwarmID: h.swarmID(facts), Draining: h.deps.Draining != nil && h.deps.Draining(),
		ViewersKnown: h.viewersKnown(now),
		Viewers:      max(viewers.Reporting, audience.ViewerSockets), Reporting: viewers.Reporting,
		Seeders:       max(seeders.Reporting, audience.SeederSockets),
		ViewerSockets: audience.ViewerSockets, SeederSockets: audience.SeederSockets, OneAddress: audience.OneAddress,
		Peerable: facts.Peerable, Reason: facts.Reason, Message: facts.Message, SourceProblem: facts.Problem,
		SeedersHold: hold.enough, SeedersHolding: hold.seeders, IntervalSeconds: h.cfg.Interval.Seconds(),
		STUN: h.stunStats(), SeederStates: summary.Seeders, Groups: summary.Groups, Refused: summary.Refused,
		Sessions: summary.Sessions, Evicted: summary.Evicted, Sites: sites,
		Offload: Offload{WindowSeconds: h.cfg.Window.Seconds(), Window: viewers.Window, WindowRatio: ratio(viewers.Window),
			Totals: viewers.Totals, Reading: reading, TotalRatio: ratio(viewers.Totals), SeederTotals: seeders.Totals,
			Stalls: viewers.Stalls, StallMs: viewers.StallMs, StartupMs: viewers.StartupMs, Waits: &total, RecentWaits: &recent}}
	if !facts.At.IsZero() {
		out.SourceReadAt = facts.At.UTC()
	}
	if facts.Playlist.Known() {
		out.Live = &facts.Playlist.Live
	}
	for kind, off := range map[string]bool{string(identity.Main): facts.MainOff, string(identity.Secondary): facts.SecondaryOff} {
		if off {
			out.P2POff = append(out.P2POff, kind)
		}
	}
	slices.Sort(out.P2POff)
	for _, s := range summary.Seeders {
		if id := s.State.SwarmID; s.Fresh && id != "" && id != out.SwarmID {
			out.Elsewhere = append(out.Elsewhere, s.ID)
		}
	}
	if out.Groups == nil {
		out.Groups = []telemetry.Group{}
	}
	h.addSwarms(&out, facts)
	addEdges(&out, facts)
	if h.deps.SiteMap != nil {
		out.SiteMap = h.deps.SiteMap()
	}
	if h.deps.LocalAddresses != nil {
		out.LocalAddresses = h.deps.LocalAddresses()
	}
	out.Integrity = h.hashes.stats(viewers.Checks)
	return out
}

// addSwarms groups the tracker's swarms by rendition.
func (h *Handler) addSwarms(out *Stats, facts Facts) {
	counts := map[string]SwarmCount{}
	for _, s := range h.deps.Swarms.Snapshot() {
		counts[s.InfoHash] = s
		out.Peers += s.Peers
	}
	out.OtherSwarms, out.OtherPeers = len(counts), out.Peers
	out.Renditions = []RenditionStats{}
	seen := map[string]bool{}
	for _, r := range facts.Renditions {
		rendition := RenditionStats{Name: r.Name, Type: r.Type, Bandwidth: r.Bandwidth, Codecs: r.Codecs,
			Resolution: r.Resolution, Swarms: []SwarmStats{}}
		for _, generation := range generations(r.InfoHashes) {
			hash := r.InfoHashes[generation]
			count, active := counts[hash]
			rendition.Swarms = append(rendition.Swarms,
				SwarmStats{Generation: generation, InfoHash: hash, Peers: count.Peers, Seeders: count.Seeders})
			rendition.Peers += count.Peers
			// Identical renditions on two hosts share a swarm.
			if active && !seen[hash] {
				seen[hash] = true
				out.OtherSwarms--
				out.OtherPeers -= count.Peers
			}
		}
		out.Renditions = append(out.Renditions, rendition)
	}
}

// addEdges adds the live edges of a live stream's renditions, and what seeders do not hold of them.
func addEdges(out *Stats, facts Facts) {
	in := settings.HoldingInput{Playlist: facts.Playlist, ReadAt: facts.At, Seeders: out.SeederStates}
	edges := settings.Edges(in, facts.Followed)
	for i := range out.Renditions {
		if e, ok := edges[out.Renditions[i].Name]; ok {
			out.Renditions[i].LiveEdge = &e
		}
	}
	out.Behind = []stats.Behind{}
	for _, l := range settings.Behind(in, facts.Followed) {
		out.Behind = append(out.Behind, stats.Behind{Seeder: l.Seeder, Rendition: l.Rendition, HeldEdge: l.HeldEdge, LiveEdge: l.Edge})
	}
}

func (h *Handler) stunStats() []stats.STUN {
	out := []stats.STUN{}
	for _, s := range h.stunServers() {
		out = append(out, stats.STUN{Server: s, Ready: h.stunReady(s)})
	}
	return out
}

func ratio(c telemetry.Counters) *float64 {
	if f, ok := c.Offload(); ok {
		return &f
	}
	return nil
}
