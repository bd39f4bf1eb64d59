package tracker

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
	"github.com/p2pstream/p2pstream/runtime/tracker/tokens"
)

// door decides who may open a WebSocket. Origins that are not allowed and wrong seeder tokens were refused before.
func (s *stream) door(r *http.Request, seeder bool) (tickets.Ticket, *sockets.Refusal) {
	if seeder {
		return tickets.Ticket{}, s.server.edgeDoor(r)
	}
	origin := r.Header.Get("Origin")
	text := r.URL.Query().Get("t")
	if text == "" && origin == "" && (s.cfg.Stream != nil || !s.origins.All()) && !s.cfg.AllowNoOrigin {
		return tickets.Ticket{}, &sockets.Refusal{Limit: "no_origin", Status: http.StatusForbidden,
			Text: "clients without an Origin need a ticket or the seeder token"}
	}
	return s.admit(text, origin)
}

// admit checks a ticket, which may be missing, of a page of that origin.
func (s *stream) admit(text, origin string) (tickets.Ticket, *sockets.Refusal) {
	if s.cfg.Stream == nil || text == "" && s.cfg.Stream.Tickets.Optional {
		return tickets.Ticket{}, nil
	}
	ticket, err := s.server.keys.current().Verify(text, s.viewers.Stream(), time.Now())
	switch {
	case err == nil && origin != "" && !ticket.Fits(origin):
		return ticket, &sockets.Refusal{Limit: "ticket_of_other_page", Status: http.StatusForbidden, Text: tickets.ErrPage.Error()}
	case err == nil && s.hub.attendance.full(ticket.Session):
		return ticket, &sockets.Refusal{Limit: "sockets_per_ticket", Status: http.StatusForbidden, Text: "too many sockets with this ticket"}
	case err == nil:
		return ticket, nil
	case errors.Is(err, tickets.ErrMissing):
		return ticket, &sockets.Refusal{Limit: "no_ticket", Status: http.StatusUnauthorized, Text: err.Error()}
	case errors.Is(err, tickets.ErrExpired):
		return ticket, &sockets.Refusal{Limit: "expired_ticket", Status: http.StatusUnauthorized, Text: err.Error()}
	}
	return ticket, &sockets.Refusal{Limit: "forged_ticket", Status: http.StatusUnauthorized, Text: err.Error()}
}

// tokenCheck returns the check of viewers' tokens, nil if none are required. The keys are read again when they change.
func (s *stream) tokenCheck(cfg *TokensConfig) (func(token string, now time.Time) error, error) {
	if cfg == nil {
		return nil, nil
	}
	keys := watch.New("keys of viewer tokens", s.log, func() (*tokens.Keys, error) { return readTokenKeys(cfg.KeysDir) }, cfg.KeysDir)
	if _, err := keys.Get(); err != nil {
		return nil, err
	}
	s.watched = append(s.watched, keys.Run)
	rules := tokens.Rules{Issuer: cfg.Issuer, Audience: cfg.Audience, ClockSkew: cfg.ClockSkew.Std()}
	return func(token string, now time.Time) error {
		current, err := keys.Get()
		if err != nil {
			return errors.New("the tracker has no keys")
		}
		return tokens.Verify(token, current, rules, now)
	}, nil
}

func readTokenKeys(dir string) (*tokens.Keys, error) {
	names, err := watch.Files(dir)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte, len(names))
	for _, name := range names {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return tokens.ParseKeys(files)
}

// watcher follows files until the context ends.
type watcher func(ctx context.Context, every time.Duration)
