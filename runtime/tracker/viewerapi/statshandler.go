package viewerapi

import (
	"encoding/json"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// serveStats answers with the sums. A caller with stats.AccumulatePath keeps the totals over restarts of the tracker;
// there should be one such caller, and where there is a private listener only that one's callers are believed.
func (h *Handler) serveStats(w http.ResponseWriter, r *http.Request) {
	h.answerStats(w, r, !h.cfg.PrivateAccumulate)
}

// StatsHandler answers /v1/stats on a listener that strangers do not reach: without a limit per address, and with
// ?accumulate=1 believed.
func (h *Handler) StatsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		h.answerStats(w, r, true)
	})
}

func (h *Handler) answerStats(w http.ResponseWriter, r *http.Request, believed bool) {
	var kept telemetry.Kept
	if believed {
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
	// Whoever accumulates gets what is noted as read, and not what somebody else was told a moment ago.
	if kept != nil || body == nil || age < 0 || age >= cacheTime {
		var err error
		if body, err = json.Marshal(h.sums(kept)); err != nil { // only our own types
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
