package tracker

import (
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// visitors are the clients that have opened a WebSocket at the path of all streams. The first announce says which stream a
// client is of; until then it is none of theirs.
type visitors struct {
	streams *streams
	group   *sockets.Group
	// strangers never get in: they present a token that makes them a seeder of no stream.
	strangers *sockets.Group
	limits    signaling.Limits
	turns     chan struct{} // as a stream has them
	refused   *prometheus.CounterVec
}

// Reasons for which a visitor's first announce is refused, beside those of stream.admit.
const (
	visitHash   = "info_hash_not_served"
	visitOrigin = "origin"
	visitNobody = "no_origin"
	visitFull   = "sockets_of_stream"
)

func (s *streams) newVisitors() error {
	l := s.server.cfg.Limits
	v := &visitors{streams: s, turns: newMessageTurns(), limits: signaling.Limits{MessageBytes: l.MessageBytes, Offers: l.OffersPerAnnounce,
		ScrapeHashes: l.ScrapeHashes}.WithDefaults(),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_visits_refused_total",
			Help: "First messages of sockets at the path of all streams that led to no stream, by reason."}, []string{"reason"})}
	for _, reason := range []string{visitHash, visitOrigin, visitNobody, visitFull, "no_ticket", "forged_ticket", "expired_ticket",
		"ticket_of_other_page", "sockets_per_ticket", "invalid", "messages_per_second"} {
		v.refused.WithLabelValues(reason)
	}
	if err := s.server.reg.Register(v.refused); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	all := func(string, string) bool { return true } // the stream will decide
	v.group = s.server.sockets.NewGroup(sockets.GroupConfig{Handler: v, Origin: all, KeepRequest: true})
	v.strangers = s.server.sockets.NewGroup(sockets.GroupConfig{Handler: v, Origin: all, Seeders: func() doors.Seeders {
		return doors.Seeders{Tokens: []string{""}} // there are seeders, and no client has this token
	}, Door: func(*http.Request, bool) (tickets.Ticket, *sockets.Refusal) {
		return tickets.Ticket{}, &sockets.Refusal{Limit: "token", Status: http.StatusUnauthorized, Text: "token"}
	}})
	s.visitors = v
	return nil
}

// Open implements sockets.Handler.
func (v *visitors) Open(c sockets.Conn, client sockets.Client) sockets.Session {
	return &visitor{visitors: v, conn: c, client: client, bucket: newBucket(v.streams.server.cfg.Limits, false, time.Now())}
}

// visitor is one of them. The socket's reader owns it.
type visitor struct {
	visitors *visitors
	conn     sockets.Conn
	client   sockets.Client
	bucket   bucket
	// inside is the session with the stream; nil until it is known.
	inside  sockets.Session
	message signaling.ClientMessage
}

// Message implements sockets.Session.
func (v *visitor) Message(b *sockets.Message) {
	if v.inside == nil && !v.enter(b) {
		b.Release()
		return
	}
	v.inside.Message(b)
}

// enter leads a visitor to the stream of its announce. It returns false if there is none that takes it; then it has
// answered.
func (v *visitor) enter(b *sockets.Message) bool {
	v.visitors.turns <- struct{}{}
	defer func() { <-v.visitors.turns }()
	switch v.bucket.take(time.Now()) {
	case ignore:
		v.refuse("messages_per_second")
		return false
	case cut:
		v.refuse("messages_per_second")
		v.conn.Close(sockets.ReasonFlood)
		return false
	}
	m := &v.message
	if err := m.Parse(b.Bytes, v.visitors.limits); err != nil || m.Action != signaling.ActionAnnounce {
		v.refuse("invalid")
		v.fail(m, "announce an info_hash first")
		return false
	}
	st := v.visitors.streams.owner(m.InfoHash)
	if st == nil {
		v.refuse(visitHash)
		v.fail(m, "info_hash is not served here")
		return false
	}
	if reason := v.admit(st); reason != "" {
		v.refuse(reason)
		v.fail(m, "not admitted: "+reason)
		v.conn.Close(sockets.ReasonEnded)
		return false
	}
	v.inside = st.hub.Open(v.conn, v.client)
	v.message = signaling.ClientMessage{}
	return true
}

// admit asks what a stream asks of clients that open a socket with it. It returns why the visitor is refused.
func (v *visitor) admit(st *stream) (reason string) {
	c := &v.client
	switch {
	case c.Origin != "" && !st.origins.Allow(c.Origin, c.Host):
		return visitOrigin
	case c.Origin == "" && c.Presented == "" && !st.cfg.AllowNoOrigin:
		return visitNobody
	}
	ticket, refusal := st.admit(c.Presented, c.Origin)
	if refusal != nil {
		return refusal.Limit
	}
	c.Ticket = ticket
	if mover, ok := v.conn.(interface{ Move(to *sockets.Group) bool }); ok && !mover.Move(st.group) {
		return visitFull
	}
	return ""
}

func (v *visitor) refuse(reason string) { v.visitors.refused.WithLabelValues(reason).Inc() }

func (v *visitor) fail(m *signaling.ClientMessage, reason string) {
	v.conn.Send(signaling.AppendFailure(nil, m.Action, m.RawInfoHash, reason))
	*m = signaling.ClientMessage{} // it aliases the message
}

// Closed implements sockets.Session.
func (v *visitor) Closed() {
	if v.inside != nil {
		v.inside.Closed()
	}
}

// owner returns the stream of an info hash: the one whose manifest makes it, or the first one of which a seeder has announced
// it.
func (s *streams) owner(hash signaling.ID) *stream {
	if st := s.claims.owner(hash); st != nil {
		return st
	}
	for _, st := range s.served.Load().order {
		if st.hub.registry.seeded(hash) {
			return st
		}
	}
	return nil
}
