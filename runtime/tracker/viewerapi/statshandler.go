package viewerapi

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// serveStats answers with the sums. With ?accumulate=1 the caller says that it keeps the totals over restarts of the
// tracker, with a telemetry.Accumulator; there should be one such caller.
func (h *Handler) serveStats(w http.ResponseWriter, r *http.Request) {
	const path = "/v1/stats"
	now := h.deps.Now()
	h.mu.Lock()
	body, age := h.stats, now.Sub(h.statsAt)
	h.mu.Unlock()
	if body == nil || age < 0 || age >= cacheTime {
		var err error
		if body, err = json.Marshal(h.sums(r.URL.Query().Has("accumulate"))); err != nil { // only our own types
			h.log.Error("encoding stats", "error", err)
			h.fail(w, path, http.StatusInternalServerError, "", "internal")
			return
		}
		h.mu.Lock()
		h.stats, h.statsAt = body, now
		h.mu.Unlock()
	}
	h.write(w, path, http.StatusOK, body)
}

// Stats computes what /v1/stats answers.
func (h *Handler) Stats() Stats { return h.sums(false) }

func (h *Handler) sums(accumulate bool) Stats {
	now := h.deps.Now()
	facts, hold := h.facts(), h.held(now)
	h.mu.Lock()
	summary := h.aggregate.Summary(now)
	if accumulate {
		h.aggregate.MarkRead(now)
	}
	h.mu.Unlock()
	audience := h.deps.Swarms.Audience()
	viewers := summary.Stream(h.cfg.Stream, telemetry.RoleViewer)
	seeders := summary.Stream(h.cfg.Stream, telemetry.RoleSeeder)
	source, _, _ := strings.Cut(h.cfg.StreamURL, "?") // the query may hold a token, and anybody may read the stats
	out := Stats{Version: 1, Boot: h.boot, StartedAt: h.began.UTC(), Now: now.UTC(), Stream: h.cfg.Stream,
		StreamURL: source, SwarmID: h.swarmID(facts),
		Viewers: max(viewers.Reporting, audience.ViewerSockets), Reporting: viewers.Reporting,
		Seeders:       max(seeders.Reporting, audience.SeederSockets),
		ViewerSockets: audience.ViewerSockets, SeederSockets: audience.SeederSockets,
		Peerable: facts.Peerable, Reason: facts.Reason, Message: facts.Message,
		SourceReadAt: facts.At.UTC(), SourceProblem: facts.Problem,
		SeedersHold: hold.enough, SeedersHolding: hold.seeders, IntervalSeconds: h.cfg.Interval.Seconds(),
		SeederStates: summary.Seeders, Groups: summary.Groups, Refused: summary.Refused,
		Sessions: summary.Sessions, Evicted: summary.Evicted,
		Offload: Offload{WindowSeconds: h.cfg.Window.Seconds(), Window: viewers.Window, WindowRatio: ratio(viewers.Window),
			Totals: viewers.Totals, TotalRatio: ratio(viewers.Totals), SeederTotals: seeders.Totals,
			Stalls: viewers.Stalls, StallMs: viewers.StallMs, StartupMs: viewers.StartupMs}}
	if facts.At.IsZero() {
		out.SourceReadAt = time.Time{}
	}
	h.addSwarms(&out, facts)
	return out
}

// addSwarms sorts the tracker's swarms under the renditions that make them.
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
			rendition.Swarms = append(rendition.Swarms, SwarmStats{generation, hash, count.Peers, count.Seeders})
			rendition.Peers += count.Peers
			// Equal renditions on two hosts share a swarm.
			if active && !seen[hash] {
				seen[hash] = true
				out.OtherSwarms--
				out.OtherPeers -= count.Peers
			}
		}
		out.Renditions = append(out.Renditions, rendition)
	}
}

func ratio(c telemetry.Counters) *float64 {
	if f, ok := c.Offload(); ok {
		return &f
	}
	return nil
}
