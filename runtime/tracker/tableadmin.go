package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// adminPages are the pages of the admin listener: statistics, and the table of streams.
func (s *Server) adminPages() map[string]http.Handler {
	if only := s.streams.only; only != nil {
		pages := map[string]http.Handler{"GET " + stats.ArrivalsPath: s.guarded(s.arrivals)}
		for _, pattern := range viewerapi.OperatorPaths() {
			pages[pattern] = s.guarded(only.operator)
		}
		return pages
	}
	overview := s.streams.overview.Operator()
	authorized := func(next http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			tokens, _ := s.writers.Get() // New has read the first ones
			if !strings.EqualFold(kind, "Bearer") || !(doors.Seeders{Tokens: tokens}).Has(strings.TrimSpace(token)) {
				w.Header().Set("WWW-Authenticate", "Bearer")
				s.refuseTable(w, http.StatusUnauthorized, tableToken, errors.New("send a token of streams.tokenFile as Authorization: Bearer"))
				return
			}
			next(w, r)
		})
	}
	return map[string]http.Handler{
		"GET " + table.Path: authorized(func(w http.ResponseWriter, _ *http.Request) {
			answerJSON(w, http.StatusOK, s.streams.state())
		}),
		"PUT " + table.Path:         authorized(s.takeTable),
		"GET " + stats.ArrivalsPath: s.guarded(s.arrivals),
		"/": s.guarded(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if st, rest := s.streams.at(r.URL.Path); st != nil {
				st.operator.ServeHTTP(w, at(r, rest))
				return
			}
			if isOverview(r.URL.Path) {
				overview.ServeHTTP(w, r)
				return
			}
			http.NotFound(w, r)
		})),
	}
}

// takeTable takes a table of streams.
func (s *Server) takeTable(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, table.MaxBytes))
	if err != nil {
		status, reason := http.StatusBadRequest, tableInvalid
		if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
			status, reason = http.StatusRequestEntityTooLarge, tableBytes
		}
		s.refuseTable(w, status, reason, fmt.Errorf("reading the table: %w", err))
		return
	}
	t, err := table.Parse(b, s.streams.rules())
	if err == nil {
		err = s.streams.change(t, true)
	}
	keep := (*keepError)(nil)
	switch {
	case err == nil:
		answerJSON(w, http.StatusOK, table.Applied{Revision: t.Revision, Streams: len(t.Streams)})
	case errors.Is(err, errStopped):
		s.refuseTable(w, http.StatusServiceUnavailable, tableStopped, err)
	case errors.As(err, &keep):
		s.log.Error("the table of streams cannot be kept; the one before stays", "error", err)
		s.refuseTable(w, http.StatusInternalServerError, tableFile, err)
	default:
		s.refuseTable(w, http.StatusBadRequest, tableInvalid, err)
	}
}

func (s *Server) refuseTable(w http.ResponseWriter, status int, reason string, err error) {
	s.streams.refused.WithLabelValues(reason).Inc()
	answerJSON(w, status, table.Refused{Error: err.Error()})
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil { // cannot happen: body is one of package table's types
		status, b = http.StatusInternalServerError, []byte(`{"error":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
}
