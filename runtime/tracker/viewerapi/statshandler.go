package viewerapi

import (
	"encoding/json"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// serveStats answers with the sums. With ?accumulate=1 the caller says that it keeps the totals over restarts of the
// tracker, with a telemetry.Accumulator; there should be one such caller, and where there is a private listener only
// that one's callers are believed.
func (h *Handler) serveStats(w http.ResponseWriter, r *http.Request) {
	h.answerStats(w, r.URL.Query().Has("accumulate") && !h.cfg.PrivateAccumulate)
}

// StatsHandler answers /v1/stats on a listener that strangers do not reach: without a limit per address, and with
// ?accumulate=1 believed.
func (h *Handler) StatsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		h.answerStats(w, r.URL.Query().Has("accumulate"))
	})
}

func (h *Handler) answerStats(w http.ResponseWriter, accumulate bool) {
	now := h.deps.Now()
	h.mu.Lock()
	body, age := h.stats, now.Sub(h.statsAt)
	h.mu.Unlock()
	// Whoever accumulates gets what is noted as read, and not what somebody else was told a moment ago: peers are
	// acknowledged what was read, and would otherwise report the difference again after a crash.
	if accumulate || body == nil || age < 0 || age >= cacheTime {
		var err error
		if body, err = json.Marshal(h.sums(accumulate)); err != nil { // only our own types
			h.log.Error("encoding stats", "error", err)
			h.fail(w, stats.Path, http.StatusInternalServerError, "", "internal")
			return
		}
		h.mu.Lock()
		h.stats, h.statsAt = body, now
		h.mu.Unlock()
	}
	h.write(w, stats.Path, http.StatusOK, body)
}
