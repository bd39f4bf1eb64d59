package viewerapi

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/web"
)

// Paths of what the dashboard reads: the state now and the past, and the past as a table.
const (
	HistoryPath    = "/v1/history"
	HistoryCSVPath = "/v1/history.csv"
)

// historyShare is how many times fewer requests for the past than others one address may send: an answer can be long, and a
// dashboard asks every ten seconds.
const historyShare = 50

// historyVersion is the version of the format of HistoryPath.
const historyVersion = 1

// pastAndPresent is the answer of HistoryPath.
type pastAndPresent struct {
	Version int             `json:"v"`
	Now     json.RawMessage `json:"now"` // stats.Dashboard
	Past    history.Series  `json:"history"`
}

var refusedForeign = &refusal{http.StatusForbidden, refusedOrigin.reason, "the dashboard is shown to the tracker's own page, under an IP address, " +
	"localhost or the name in externalURL; under other names send a seeder token as Authorization: Bearer"}

// mountDashboard serves the dashboard to viewers.
func (h *Handler) mountDashboard(assets http.Handler) {
	for _, path := range web.DashboardPaths() {
		h.mux.Handle(path, assets)
	}
	limit := newLimiter(h.cfg.RequestsPerSecond/historyShare, max(1, h.cfg.RequestBurst/historyShare))
	for path, serve := range h.historyHandlers() {
		h.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !limit.allow(h.client(r), h.deps.Now()):
				w.Header().Set("Retry-After", "1")
				h.fail(w, path, http.StatusTooManyRequests, "", "too many requests from this address")
			default:
				if refusal := h.guardDashboard(r); refusal != nil {
					h.shut(w, path, refusal)
					return
				}
				serve(w, r)
			}
		})
	}
}

// guardDashboard returns why a request for the past is refused, nil if it is not. No page but the tracker's own may read it in a
// browser that reaches the tracker, neither one that is allowed to play the stream nor one under a name that was made to lead here.
func (h *Handler) guardDashboard(r *http.Request) *refusal {
	origin, host := r.Header.Get("Origin"), h.host(r)
	switch {
	case h.isSeeder(r):
		return nil
	case h.deps.Token != nil: // who may not watch may not see who does
		return refusedNoToken
	case origin == "" && (isInternal(r.Context()) || h.origins.Own(host)), origin != "" && h.origins.OwnPage(origin, host):
		return nil
	}
	return refusedForeign
}

// historyHandlers answer for the past, by their paths. There are no cross-origin headers, so that no other page can read it.
func (h *Handler) historyHandlers() map[string]http.HandlerFunc {
	of := func(path string, answer func(http.ResponseWriter, history.Series)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			header := w.Header()
			header.Set("Cache-Control", "no-store")
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("Cross-Origin-Resource-Policy", "same-origin")
			if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
				header.Set("Allow", "GET, HEAD, POST")
				h.fail(w, path, http.StatusMethodNotAllowed, "", "method not allowed; use GET or POST")
				return
			}
			query, err := history.ParseQuery(r.URL.Query(), h.deps.Now())
			if err != nil {
				h.fail(w, path, http.StatusBadRequest, "", err.Error())
				return
			}
			h.past.mu.Lock()
			series := h.past.ring.Query(query)
			h.past.mu.Unlock()
			answer(w, series)
		}
	}
	return map[string]http.HandlerFunc{
		HistoryPath: of(HistoryPath, func(w http.ResponseWriter, s history.Series) {
			encoded, err := h.encodedNow(nil)
			var b []byte
			if err == nil {
				b, err = json.Marshal(pastAndPresent{historyVersion, encoded.dashboard, s})
			}
			if err != nil { // cannot happen: both can be marshaled
				h.log.Error("encoding history", "error", err)
				h.fail(w, HistoryPath, http.StatusInternalServerError, "", "internal")
				return
			}
			h.write(w, HistoryPath, http.StatusOK, b)
		}),
		HistoryCSVPath: of(HistoryCSVPath, func(w http.ResponseWriter, s history.Series) {
			var b bytes.Buffer
			if err := s.WriteCSV(&b); err != nil { // cannot happen: memory takes everything
				h.log.Error("encoding history", "error", err)
				h.fail(w, HistoryCSVPath, http.StatusInternalServerError, "", "internal")
				return
			}
			w.Header().Set("Content-Disposition", `attachment; filename="history.csv"`)
			h.writeAs(w, HistoryCSVPath, http.StatusOK, "text/csv; charset=utf-8", b.Bytes())
		}),
	}
}

// OperatorPaths lists the patterns, as http.ServeMux reads them, of everything that Operator serves.
func OperatorPaths() []string {
	return append([]string{"GET " + stats.Path, HistoryPath, HistoryCSVPath}, web.DashboardPaths()...)
}

// Operator serves those who run the stream, on a private listener and without a limit per address: all statistics, which may be
// accumulated with ?accumulate=1, and the dashboard.
func (h *Handler) Operator() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+stats.Path, h.StatsHandler())
	for path, serve := range h.historyHandlers() {
		mux.HandleFunc(path, serve)
	}
	assets := web.Handler()
	for _, path := range web.DashboardPaths() {
		mux.Handle(path, assets)
	}
	return mux
}
