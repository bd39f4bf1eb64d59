package viewerapi

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/web"
)

// Paths of what the dashboard reads.
const (
	HistoryPath    = dashboard.HistoryPath
	HistoryCSVPath = dashboard.HistoryCSVPath
)

// historyShare is how many times fewer requests for the past than others one address may send: an answer can be long, and a
// dashboard asks every ten seconds.
const historyShare = 50

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
	switch {
	case h.isSeeder(r):
		return nil
	case h.deps.Token != nil: // who may not watch may not see who does
		return refusedNoToken
	}
	return foreign(h.origins, r)
}

// foreign returns why a request of a page that is not certainly the tracker's own is refused, nil if it is.
func foreign(origins doors.Origins, r *http.Request) *refusal {
	origin, host := r.Header.Get("Origin"), hostOf(r)
	if origin == "" && (isInternal(r.Context()) || origins.Own(host)) || origin != "" && origins.OwnPage(origin, host) {
		return nil
	}
	return refusedForeign
}

// historyHandlers answer for the past and for the mesh, by their paths.
func (h *Handler) historyHandlers() map[string]http.HandlerFunc {
	all := dashboard.Pages{Past: h.past, Clock: h.deps.Now, Write: h.writeAs, Now: func(url.Values) (json.RawMessage, error) {
		encoded, err := h.encodedNow(nil)
		return encoded.dashboard, err
	}}.Handlers()
	all[MeshPath] = h.serveMesh
	return all
}

// OperatorPaths lists the patterns, as http.ServeMux reads them, of everything that Operator serves.
func OperatorPaths() []string {
	return append([]string{"GET " + stats.Path, HistoryPath, HistoryCSVPath, MeshPath}, web.DashboardPaths()...)
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
