package tracker

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
)

// join checks the credential of an edge seeder: it was made with one of the seeder tokens, has not expired, and the map of
// sites has its site and does not revoke it. The error is one of package joins.
func (s *Server) join(credential string) (joins.Credential, error) {
	c, err := joins.Verify(credential, s.seederTokens(), time.Now())
	if err != nil {
		return joins.Credential{}, err
	}
	m := s.Sites()
	if _, ok := m.Named(c.Site); !ok {
		return joins.Credential{}, joins.ErrSite
	}
	if m.Revoked(c.ID) {
		return joins.Credential{}, joins.ErrRevoked
	}
	return c, nil
}

// endRevoked closes the sockets of edge seeders whose credentials a map revokes.
func (h *hub) endRevoked(m *sites.Map) {
	for _, s := range h.places.joined() {
		if m.Revoked(s.client.Join.ID) {
			s.conn.Close(sockets.ReasonEnded)
		}
	}
}

// joined returns the sessions of edge seeders with credentials.
func (p *places) joined() (all []*session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.sessions {
		if s.client.Join.ID != "" {
			all = append(all, s)
		}
	}
	return all
}

// enterJoined counts a socket of an edge seeder with a credential, and closes it when the credential expires, or when there
// are too many with the same one.
func (h *hub) enterJoined(s *session) {
	if !h.attendance.enter(s.client.Join.Name(), time.Now()) {
		h.metrics.limit(limitTicket)
		s.conn.Close(sockets.ReasonFlood)
		return
	}
	s.ending = time.AfterFunc(time.Until(s.client.Join.Expires), func() { s.conn.Close(sockets.ReasonEnded) })
}

func (h *hub) leaveJoined(s *session) {
	if s.ending != nil {
		s.ending.Stop()
	}
	h.attendance.leave(s.client.Join.Name(), time.Now())
}

// trusted reports whether a client may announce swarms that are not known to be the stream's: it has the seeder token itself.
func (s *session) trusted() bool { return s.client.Seeder && s.client.Join.ID == "" }
