package tracker

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/descriptions"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// session is the hub's state of one socket. The socket's reader owns it, except for socks.
type session struct {
	hub    *hub
	conn   sockets.Conn
	client sockets.Client
	// socks are the shards' views of this socket; element i belongs to shard i.
	socks []*swarm.Socket
	// used has a bit for each shard that knows this socket.
	used atomic.Uint64
	// place is where the client is. A shard reads it when it meets the socket, and when a jobPlace says that it has changed.
	place atomic.Pointer[swarm.Place]
	// hosts says how the client's last offers gave its own addresses: a descriptions.Hosts.
	hosts   atomic.Uint32
	bucket  bucket
	members []membership
	// ending closes the socket of an edge seeder when its credential expires; nil for all others.
	ending *time.Timer
}

// membership records that a socket announced an id in a swarm. The shards own the actual membership; this record limits
// what one socket may announce over all shards.
type membership struct {
	hash, id signaling.ID
	last     time.Time
}

// Message implements sockets.Session.
func (s *session) Message(b *sockets.Message) {
	if turns := s.hub.turns; turns != nil {
		turns <- struct{}{} // meanwhile nothing more is read from this client
		defer func() { <-turns }()
	}
	now := time.Now()
	switch s.bucket.take(now) {
	case ignore:
		s.hub.metrics.limit(limitMessages)
		b.Release()
		return
	case cut:
		s.hub.metrics.limit(limitFlood)
		b.Release()
		s.conn.Close(sockets.ReasonFlood)
		return
	}
	if s.hub.report != nil && telemetry.IsReport(b.Bytes) {
		s.conn.Send(s.hub.report(s.client, b.Bytes))
		b.Release()
		return
	}
	j := jobs.Get().(*job)
	j.kind, j.sess, j.bytes, j.began = jobMessage, s, b, now
	m := &j.message
	err := m.Parse(b.Bytes, s.hub.limits)
	s.hub.metrics.message(m.Action, err)
	if m.Dropped > 0 {
		s.hub.metrics.limit(limitOffers)
	}
	switch {
	case err != nil:
		s.fail(m, err.Error())
	case m.Action == signaling.ActionScrape:
		s.scrape(m, now)
	case !s.trusted() && !s.hub.serves(m.InfoHash) || s.hub.denies(m.InfoHash): // in this order: serves may learn what is denied
		s.hub.metrics.limit(limitAllowed)
		s.fail(m, "info_hash is not served here")
	case m.Action == signaling.ActionAnnounce && !s.admit(m, now):
		s.fail(m, "too many swarms or peer ids on one socket")
	case !s.clean(m):
		s.fail(m, "session description is not relayed")
	default:
		i := s.hub.shardOf(m.InfoHash)
		s.used.Or(1 << i)
		s.hub.shards[i].in <- j
		return
	}
	j.release()
}

// clean makes a message's session descriptions fit to be relayed. Offers that cannot be are left out; it returns false for
// such an answer. It changes the message.
func (s *session) clean(m *signaling.ClientMessage) bool {
	if m.Action == signaling.ActionAnswer {
		_, ok := s.describes(&m.SDP)
		return ok
	}
	kept, seen := m.Offers[:0], descriptions.NoHosts
	for i := range m.Offers {
		hosts, ok := s.describes(&m.Offers[i].SDP)
		if !ok {
			continue
		}
		kept = append(kept, m.Offers[i])
		if hosts != descriptions.NoHosts {
			seen = hosts
		}
	}
	m.Offers = kept
	if seen != descriptions.NoHosts {
		s.hosts.Store(uint32(seen))
	}
	return true
}

// describes replaces a session description by one that may be relayed, if it can be. It also returns how that gives the
// peer's own addresses.
func (s *session) describes(sdp *signaling.Raw) (descriptions.Hosts, bool) {
	d, err := descriptions.Clean(*sdp, s.hub.rules)
	if d.Dropped > 0 {
		s.hub.metrics.dropped.Add(float64(d.Dropped))
	}
	if err != nil {
		s.hub.metrics.description(err)
		return descriptions.NoHosts, false
	}
	*sdp = d.SDP
	return d.Hosts, true
}

// Closed implements sockets.Session.
func (s *session) Closed() {
	s.hub.forget(s)
	used := s.used.Load()
	for i, shard := range s.hub.shards {
		if used&(1<<i) != 0 {
			j := jobs.Get().(*job)
			j.kind, j.sess = jobClose, s
			shard.in <- j
		}
	}
}

// fail replies to an unusable message. It never closes the socket.
func (s *session) fail(m *signaling.ClientMessage, reason string) {
	s.conn.Send(signaling.AppendFailure(nil, m.Action, m.RawInfoHash, reason))
}

// scrape replies with the sizes of swarms. Without a hash these are the socket's own swarms: a client must not be able
// to list everything that is being watched.
func (s *session) scrape(m *signaling.ClientMessage, now time.Time) {
	hashes := m.Scrape
	if m.ScrapeAll {
		s.dropStale(now)
		for _, own := range s.members {
			if !contains(hashes, own.hash) {
				hashes = append(hashes, own.hash)
			}
		}
	}
	files := make([]signaling.ScrapeFile, 0, len(hashes))
	for i, hash := range hashes {
		if !contains(hashes[:i], hash) {
			files = append(files, s.hub.registry.file(hash))
		}
	}
	s.conn.Send(signaling.AppendScrapeReply(nil, files, int(s.hub.cfg.AnnounceInterval.Min.Std()/time.Second)))
}

func contains(ids []signaling.ID, id signaling.ID) bool {
	for i := range ids {
		if ids[i] == id {
			return true
		}
	}
	return false
}

// admit records an announce. It returns false if the socket would then exceed its limit of swarms or ids.
func (s *session) admit(m *signaling.ClientMessage, now time.Time) bool {
	for i := range s.members {
		own := &s.members[i]
		if own.hash != m.InfoHash || own.id != m.PeerID {
			continue
		}
		own.last = now
		if m.Event == signaling.EventStopped {
			last := len(s.members) - 1
			s.members[i] = s.members[last]
			s.members = s.members[:last]
		}
		return true
	}
	if m.Event == signaling.EventStopped {
		return true
	}
	if _, full := s.full(m); full {
		s.dropStale(now)
	}
	switch limit, full := s.full(m); {
	case !full:
	case limit == limitIDsPerSwarm:
		s.hub.metrics.limit(limit)
		s.dropOldest(m.InfoHash)
	default:
		s.hub.metrics.limit(limit)
		return false
	}
	s.members = append(s.members, membership{m.InfoHash, m.PeerID, now})
	return true
}

// full reports whether one more membership would exceed a limit, and which one.
func (s *session) full(m *signaling.ClientMessage) (hit limit, full bool) {
	lim := s.hub.cfg.Limits
	// Without this a socket could announce every id in every swarm: the product of the two limits.
	if len(s.members) >= lim.SwarmsPerSocket+lim.IDsPerSocket {
		return limitSwarms, true
	}
	var hashes, ids []signaling.ID
	same := 0
	for i := range s.members {
		own := &s.members[i]
		switch {
		case own.hash == m.InfoHash:
			same++
		case !contains(hashes, own.hash):
			hashes = append(hashes, own.hash)
		}
		if own.id != m.PeerID && !contains(ids, own.id) {
			ids = append(ids, own.id)
		}
	}
	switch {
	case len(hashes) >= lim.SwarmsPerSocket:
		return limitSwarms, true
	case len(ids) >= lim.IDsPerSocket:
		return limitIDs, true
	case same >= lim.IDsPerSwarm:
		return limitIDsPerSwarm, true
	}
	return 0, false
}

// dropOldest removes the id from a swarm that the socket announced there longest ago. A page that reloads its manifest
// takes a new id without announcing that it left with the old one, which no longer answers offers.
func (s *session) dropOldest(hash signaling.ID) {
	oldest := -1
	for i := range s.members {
		if s.members[i].hash == hash && (oldest < 0 || s.members[i].last.Before(s.members[oldest].last)) {
			oldest = i
		}
	}
	if oldest < 0 {
		return
	}
	j := jobs.Get().(*job)
	j.kind, j.sess = jobForget, s
	j.message.InfoHash, j.message.PeerID = hash, s.members[oldest].id
	s.members = slices.Delete(s.members, oldest, oldest+1)
	s.hub.shards[s.hub.shardOf(hash)].in <- j
}

// dropStale removes expired memberships: browsers leave swarms without announcing it.
func (s *session) dropStale(now time.Time) {
	keep := s.members[:0]
	for _, own := range s.members {
		if now.Sub(own.last) < 2*s.hub.cfg.AnnounceInterval.Max.Std()+time.Minute {
			keep = append(keep, own)
		}
	}
	s.members = keep
}
