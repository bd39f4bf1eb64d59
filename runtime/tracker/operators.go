package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"

	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// maxOperators bounds the list of operators: two during a change of the operator's key.
const maxOperators = 8

func watchOperators(file string, log *slog.Logger) (*watch.Value[[]doors.Hash], error) {
	v := watch.New("hashes of operators' tokens", log, func() ([]doors.Hash, error) { return readOperators(file) }, file)
	_, err := v.Get()
	return v, err
}

func readOperators(file string) ([]doors.Hash, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf(`%s is not a JSON list of strings: %w; use ["sha256:…"]`, file, err)
	}
	if len(list) > maxOperators {
		return nil, fmt.Errorf("%s lists %d tokens; the maximum is %d", file, len(list), maxOperators)
	}
	var hashes []doors.Hash
	for _, text := range list {
		h, err := doors.ParseHash(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %.80q %w", file, text, err)
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// operatorsNow are who may change what a tracker keeps for its operator, by the admin listener. None: all who reach it.
func (s *Server) operatorsNow() (o doors.Seeders) {
	if s.writers != nil {
		o.Tokens, _ = s.writers.Get() // New has read the first ones
	}
	if s.operators != nil {
		o.Hashes, _ = s.operators.Get() // New has read the first ones
	}
	return o
}

// isOperator tells whether a request presents the token of an operator, or none is asked for.
func (s *Server) isOperator(r *http.Request) bool {
	all := s.operatorsNow()
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return all.None() || strings.EqualFold(kind, "Bearer") && all.Has(strings.TrimSpace(token))
}

// guarded refuses what only an operator may ask of the admin listener: to be told of readings that count as kept from then on, and to
// wait for arrivals, of which few requests may.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		changes := r.URL.Path == stats.ArrivalsPath || r.URL.Query().Has(stats.AccumulateKey)
		if !changes || s.isOperator(r) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, errNoOperator.Error(), http.StatusUnauthorized)
	})
}

var errNoOperator = errors.New("send the token of the operator as Authorization: Bearer")
