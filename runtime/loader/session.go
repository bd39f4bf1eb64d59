package loader

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// session is what this peer knows of one connection. Its methods run on the
// connection's reader unless they say otherwise.
type session struct {
	r          *rendition
	generation identity.Generation
	peer       *mesh.Peer
	seeder     bool // by its peer-id label: a preference and a statistic, never trust

	joiner   wire.Joiner
	commands *rate.Limiter
	stray    *rate.Limiter
	claims   map[int64]time.Time // since when the peer says that it is fetching a segment
	cut      atomic.Bool

	announced atomic.Pointer[announcement] // latest; read by the rendition's owner
	speed     atomic.Int64                 // bytes per second of the last delivery; 0 if unknown

	mu        sync.Mutex     // guards the two below
	requester *wire.Download // counts this connection's timeouts over all requests
	download  *download      // running request to this peer

	uploads uploader

	// The rendition's owner has these.
	failures int
	shunned  time.Time
}

// announcement is the last full state a peer announced.
type announcement struct {
	loaded  map[int64]struct{}
	loading map[int64]time.Time // since when
}

// holding is what the peer says of a segment. That it is fetching it is believed if it began after since.
func (a *announcement) holding(id int64, since time.Time) schedule.Holding {
	if a == nil {
		return schedule.Absent
	}
	if _, ok := a.loaded[id]; ok {
		return schedule.Loaded
	}
	if at, ok := a.loading[id]; ok && at.After(since) {
		return schedule.Loading
	}
	return schedule.Absent
}

func newSession(r *rendition, g identity.Generation, p *mesh.Peer) *session {
	s := &session{
		r: r, generation: g, peer: p,
		seeder:   strings.HasPrefix(string(p.ID()), seederLabel),
		commands: rate.NewLimiter(commandsPerSecond, commandBurst),
		stray:    rate.NewLimiter(strayPerSecond, strayBurst),
	}
	s.uploads.s = s
	return s
}

// seederLabel begins the peer ids of all versions of our seeders.
const seederLabel = "-PS"

func (s *session) source() traffic.Source {
	if s.seeder {
		return traffic.FromSeeder
	}
	return traffic.FromViewer
}

// message handles one message from the peer.
func (s *session) message(msg []byte) {
	now := time.Now()
	event := s.joiner.PushAt(msg, now)
	switch event.Kind {
	case wire.GotBytes:
		s.bytes(event.Bytes, now)
	case wire.GotCommand:
		if s.charge(1+len(msg)/commandBytes, now) {
			s.command(event.Command, now)
		}
	case wire.Waiting:
		s.charge(1+len(msg)/commandBytes, now)
	default:
		// What makes no sense costs more than what does: honest peers of some releases send such announcements, but
		// never many.
		s.charge(nonsense, now)
	}
}

// charge takes n of the commands that the peer may send, and cuts it off when there are none left.
func (s *session) charge(n int, now time.Time) bool {
	if s.commands.AllowN(now, n) {
		return true
	}
	s.cutOff(errCommandFlood)
	return false
}

func (s *session) command(c wire.Command, now time.Time) {
	switch c.Code {
	case wire.SegmentsAnnouncement:
		s.announcement(c, now)
	case wire.SegmentRequest:
		s.uploads.request(c, now)
	case wire.CancelSegmentRequest:
		s.uploads.cancel(c, now)
	case wire.SegmentData, wire.SegmentDataSendingCompleted, wire.SegmentAbsent:
		s.downloadCommand(c, now)
	}
}

func (s *session) announcement(c wire.Command, now time.Time) {
	known := s.r.index.Known(s.generation)
	a := &announcement{loaded: known.Filter(c.Loaded), loading: make(map[int64]time.Time, min(len(c.Loading), 64))}
	// A claim that was taken back meanwhile is no new one.
	claims := make(map[int64]time.Time, len(s.claims))
	for id, since := range s.claims {
		if known.Contains(id) {
			claims[id] = since
		}
	}
	for id := range known.Filter(c.Loading) {
		since, ok := claims[id]
		if !ok && len(claims) < index.MaxUnknownIDs {
			since = now
			claims[id] = now
		}
		a.loading[id] = since
	}
	s.claims = claims
	s.announced.Store(a)
	s.r.wake()
}

// forget drops a segment that the peer denies having from what it announced.
func (s *session) forget(id int64) {
	old := s.announced.Load()
	if old.holding(id, time.Time{}) != schedule.Loaded {
		return
	}
	a := &announcement{loaded: make(map[int64]struct{}, len(old.loaded)), loading: old.loading}
	for k := range old.loaded {
		if k != id {
			a.loaded[k] = struct{}{}
		}
	}
	s.announced.Store(a)
}

// send queues a command. A peer that does not read its commands is of no use.
func (s *session) send(c wire.Command) {
	chunks, err := wire.Encode(c, s.r.e.cfg.MaxMessageSize)
	if err != nil {
		s.r.log.Error("encoding command", "command", c.Code.String(), "error", err)
		return
	}
	s.sendChunks(chunks)
}

func (s *session) sendChunks(chunks [][]byte) {
	for _, chunk := range chunks {
		if err := s.peer.Send(chunk); err != nil {
			if !errors.Is(err, mesh.ErrPeerClosed) {
				s.cutOff(err)
			}
			return
		}
	}
}

// closed ends what ran on the connection.
func (s *session) closed() {
	s.uploads.stop()
	s.downloadClosed()
}
