package loader

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// Bounds on what one connection may ask of this peer.
const (
	commandsPerSecond = 100
	commandBurst      = 400
	nonsense          = 20       // commands that one undecodable message counts as
	strayBytesLimit   = 64 << 20 // bytes nobody asked for, over the life of a connection
)

// Causes for which a connection is closed by this peer.
var (
	errCommandFlood = errors.New("too many commands")
	errStrayBytes   = errors.New("too many bytes that nobody asked for")
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
	stray    int64

	announced atomic.Pointer[announcement] // latest; read by the rendition's owner
	speed     atomic.Int64                 // bytes per second of the last delivery; 0 if unknown

	mu        sync.Mutex     // guards the two below
	requester *wire.Download // counts this connection's timeouts over all requests
	download  *download      // running request to this peer

	uploads uploader
}

// announcement is the last full state a peer announced.
type announcement struct {
	loaded, loading map[int64]struct{}
}

func (a *announcement) holding(id int64) schedule.Holding {
	if a == nil {
		return schedule.Absent
	}
	if _, ok := a.loaded[id]; ok {
		return schedule.Loaded
	}
	if _, ok := a.loading[id]; ok {
		return schedule.Loading
	}
	return schedule.Absent
}

func newSession(r *rendition, g identity.Generation, p *mesh.Peer) *session {
	s := &session{
		r: r, generation: g, peer: p,
		seeder:   strings.HasPrefix(string(p.ID()), seederLabel),
		commands: rate.NewLimiter(commandsPerSecond, commandBurst),
	}
	s.uploads.s = s
	return s
}

// seederLabel begins the peer ids of all versions of our seeders.
const seederLabel = "-PS"

func (s *session) source() Source {
	if s.seeder {
		return FromSeeder
	}
	return FromViewer
}

// message handles one message from the peer.
func (s *session) message(msg []byte) {
	now := time.Now()
	event := s.joiner.PushAt(msg, now)
	switch event.Kind {
	case wire.GotBytes:
		s.bytes(event.Bytes, now)
	case wire.GotCommand:
		if s.charge(1, now) {
			s.command(event.Command, now)
		}
	case wire.Waiting:
		s.charge(1, now)
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
	s.r.e.counters.commandFloods.Add(1)
	s.peer.Close(errCommandFlood)
	return false
}

func (s *session) command(c wire.Command, now time.Time) {
	switch c.Code {
	case wire.SegmentsAnnouncement:
		s.announcement(c)
	case wire.SegmentRequest:
		s.uploads.request(c, now)
	case wire.CancelSegmentRequest:
		s.uploads.cancel(c, now)
	case wire.SegmentData, wire.SegmentDataSendingCompleted, wire.SegmentAbsent:
		if c.Code == wire.SegmentAbsent {
			s.forget(c.SegmentID)
		}
		s.downloadCommand(c, now)
	}
}

func (s *session) announcement(c wire.Command) {
	known := s.r.index.known(s.generation)
	a := &announcement{loaded: known.set(c.Loaded), loading: known.set(c.Loading)}
	s.announced.Store(a)
	s.r.wake()
}

// forget drops a segment that the peer denies having from what it announced.
func (s *session) forget(id int64) {
	old := s.announced.Load()
	if old.holding(id) != schedule.Loaded {
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
				s.peer.Close(err)
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
