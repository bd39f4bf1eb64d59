package viewerapi

import (
	"encoding/json"
	"net/http"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// reader is who asks for the statistics.
type reader struct {
	// operates says that all of them are answered, not only stats.Public.
	operates bool
	// accumulates says that it may ask for stats.AccumulatePath, which makes it the one that stores the totals across
	// restarts of the tracker.
	accumulates bool
}

// serveStats answers with the sums: with those that are public, or to a holder of the seeder token with all. A caller of
// stats.AccumulatePath stores the totals across restarts of the tracker. There should be one such caller; with
// PrivateAccumulate, only callers of StatsHandler may be it.
func (h *Handler) serveStats(w http.ResponseWriter, r *http.Request) {
	operates := h.isSeeder(r)
	w.Header().Add("Vary", "Authorization")
	h.answerStats(w, r, reader{operates: operates, accumulates: operates && !h.cfg.PrivateAccumulate})
}

// StatsHandler answers /v1/stats on a private listener: all statistics, without a limit per address, and accepting
// ?accumulate=1.
func (h *Handler) StatsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		h.answerStats(w, r, reader{operates: true, accumulates: true})
	})
}

// encodedStats is an answer that is used again for a moment.
type encodedStats struct{ all, public, dashboard []byte }

func encodeStats(s Stats) (e encodedStats, err error) {
	if e.all, err = json.Marshal(s); err != nil {
		return e, err
	}
	if e.public, err = json.Marshal(s.Public()); err != nil {
		return e, err
	}
	e.dashboard, err = json.Marshal(s.Dashboard())
	return e, err
}

// encodedNow returns the statistics as they are now, or were a moment ago. The reader that stores totals gets exactly what is
// marked as read, and not a cached answer.
func (h *Handler) encodedNow(kept telemetry.Kept) (encodedStats, error) {
	now := h.deps.Now()
	h.mu.Lock()
	encoded, age := h.stats, now.Sub(h.statsAt)
	h.mu.Unlock()
	if kept == nil && encoded.all != nil && age >= 0 && age < cacheTime {
		return encoded, nil
	}
	encoded, err := encodeStats(h.sums(kept))
	if err == nil && kept == nil {
		h.mu.Lock()
		h.stats, h.statsAt = encoded, now
		h.mu.Unlock()
	}
	return encoded, err
}

func (h *Handler) answerStats(w http.ResponseWriter, r *http.Request, by reader) {
	var kept telemetry.Kept
	if by.accumulates {
		var err error
		if kept, err = stats.KeptOf(r.URL.Query()); err != nil {
			h.fail(w, stats.Path, http.StatusBadRequest, "", err.Error())
			return
		}
	}
	encoded, err := h.encodedNow(kept)
	if err != nil { // cannot happen: Stats can be marshaled
		h.log.Error("encoding stats", "error", err)
		h.fail(w, stats.Path, http.StatusInternalServerError, "", "internal")
		return
	}
	body := encoded.public
	if by.operates {
		body = encoded.all
	}
	h.write(w, stats.Path, http.StatusOK, body)
}
