package viewerapi

import (
	"encoding/json"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// serveStats answers with the sums. A caller of stats.AccumulatePath stores the totals across restarts of the tracker.
// There should be one such caller; with PrivateAccumulate, only callers of StatsHandler may be it.
func (h *Handler) serveStats(w http.ResponseWriter, r *http.Request) {
	h.answerStats(w, r, !h.cfg.PrivateAccumulate)
}

// StatsHandler answers /v1/stats on a private listener: without a limit per address, and accepting ?accumulate=1.
func (h *Handler) StatsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		h.answerStats(w, r, true)
	})
}

func (h *Handler) answerStats(w http.ResponseWriter, r *http.Request, mayAccumulate bool) {
	var kept telemetry.Kept
	if mayAccumulate {
		var err error
		if kept, err = stats.KeptOf(r.URL.Query()); err != nil {
			h.fail(w, stats.Path, http.StatusBadRequest, "", err.Error())
			return
		}
	}
	now := h.deps.Now()
	h.mu.Lock()
	body, age := h.stats, now.Sub(h.statsAt)
	h.mu.Unlock()
	// The reader that stores totals gets exactly what is marked as read, and not a cached answer.
	if kept != nil || body == nil || age < 0 || age >= cacheTime {
		var err error
		if body, err = json.Marshal(h.sums(kept)); err != nil { // cannot happen: Stats can be marshaled
			h.log.Error("encoding stats", "error", err)
			h.fail(w, stats.Path, http.StatusInternalServerError, "", "internal")
			return
		}
		if kept == nil {
			h.mu.Lock()
			h.stats, h.statsAt = body, now
			h.mu.Unlock()
		}
	}
	h.write(w, stats.Path, http.StatusOK, body)
}
