package session

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
	"github.com/p2pstream/p2pstream/runtime/loader/upload"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Conn is an open connection to a peer, such as *mesh.Peer.
type Conn interface {
	ID() identity.PeerID
	Origin() signaling.Origin
	Send(msg []byte) error                          // queues a message; mesh.ErrQueueFull, mesh.ErrPeerClosed
	SendWait(ctx context.Context, msg []byte) error // waits while the queue is full
	Close(cause error)
}

// Config is what all sessions of a rendition share.
type Config struct {
	Log             *slog.Logger
	Counters        *traffic.Recorder
	Played          *traffic.Rendition // of the rendition; nil: it is not counted by itself
	Transit         *transit.Share
	Index           *index.Index
	Store           *store.Store
	Uplink          *upload.Uplink
	MaxMessageSize  int   // bytes of a data-channel message
	MaxSegmentBytes int64 // larger segments are refused
	UploadDisabled  bool

	Go        func(func())   // starts a goroutine that the engine waits for when it ends
	Announced func(*Session) // called after the peer's announcement changed, on the connection's reader; must not block
	// Asked is called when the peer asks for a held segment, by the peer's id for it, on the connection's reader. It must
	// neither block nor call the session. It may be nil.
	Asked func(s *Session, id int64)
}

// Session is what this peer knows of one connection. Its methods run on the
// connection's reader unless they say otherwise.
type Session struct {
	cfg        *Config
	swarm      identity.InfoHash
	generation identity.Generation
	conn       Conn
	seeder     bool // by its peer-id label: a preference and a statistic, never trust

	joiner       wire.Joiner
	commands     *rate.Limiter
	unrequested  *rate.Limiter
	claims       map[int64]time.Time // since when the peer says that it is fetching a segment
	disconnected atomic.Bool

	announced atomic.Pointer[core.Announcement] // latest
	speed     atomic.Int64                      // bytes per second of the last delivery; 0 if unknown

	mu        sync.Mutex     // guards the two below
	requester *wire.Download // counts this connection's timeouts over all requests
	download  *download      // running request to this peer

	uploads *upload.Uploader
}

// New returns the session of a connection that has just opened in a swarm. Its uploads end with ctx.
func New(ctx context.Context, cfg *Config, swarm identity.InfoHash, g identity.Generation, conn Conn) *Session {
	s := &Session{
		cfg: cfg, swarm: swarm, generation: g, conn: conn,
		seeder:      strings.HasPrefix(string(conn.ID()), seederLabel),
		commands:    rate.NewLimiter(commandsPerSecond, commandBurst),
		unrequested: rate.NewLimiter(unrequestedPerSecond, unrequestedBurst),
	}
	s.uploads = upload.New(ctx, upload.Config{
		Uplink: cfg.Uplink, Counters: cfg.Counters, MaxMessageSize: cfg.MaxMessageSize,
		Lookup: s.lookup, Send: s.send, Write: conn.SendWait, Go: cfg.Go,
	})
	return s
}

// seederLabel begins the peer ids of all versions of our seeders.
const seederLabel = "-PS"

// ID is the peer's id. It may be called by any goroutine.
func (s *Session) ID() identity.PeerID { return s.conn.ID() }

// Origin is where the peer is, as the tracker told it; zero if that has no sites. It may be called by any goroutine.
func (s *Session) Origin() signaling.Origin { return s.conn.Origin() }

// Swarm is the swarm in which the peer was met: what it gives are segments of that one. It may be called by any goroutine.
func (s *Session) Swarm() identity.InfoHash { return s.swarm }

// Generation is the generation of players whose ids the peer uses. It may be called by any goroutine.
func (s *Session) Generation() identity.Generation { return s.generation }

// Seeder tells whether the peer says that it is a seeder. It may be called by any goroutine.
func (s *Session) Seeder() bool { return s.seeder }

// Speed is that of the last delivery in bytes per second; 0 if unknown. It may be called by any goroutine.
func (s *Session) Speed() int64 { return s.speed.Load() }

// lookup returns the bytes of a held segment by the peer's id for it.
func (s *Session) lookup(id int64) ([]byte, bool) {
	if s.cfg.UploadDisabled {
		return nil, false
	}
	key, ok := s.cfg.Index.Held(s.generation, id)
	if !ok {
		return nil, false
	}
	data, ok := s.cfg.Store.Get(key)
	if ok && s.cfg.Asked != nil {
		s.cfg.Asked(s, id)
	}
	return data, ok
}

func (s *Session) source() traffic.Source {
	if s.seeder {
		return traffic.FromSeeder
	}
	return traffic.FromViewer
}

// place is where the peer is, as the tracker told it.
func (s *Session) place() traffic.Place {
	if s.conn.Origin().Near {
		return traffic.Inside
	}
	return traffic.Outside
}

// Message handles one message from the peer.
func (s *Session) Message(msg []byte) {
	now := time.Now()
	event := s.joiner.PushAt(msg, now)
	switch event.Kind {
	case wire.GotBytes:
		s.receive(event.Bytes, now)
	case wire.GotCommand:
		if s.charge(1+len(msg)/commandBytes, now) {
			s.command(event.Command, now)
		}
	case wire.Waiting:
		s.charge(1+len(msg)/commandBytes, now)
	default:
		// A malformed message costs more than a valid one: correct peers of some releases send a few such announcements,
		// but never many.
		s.charge(malformedCost, now)
	}
}

// charge counts n commands against the peer's rate limit and disconnects the peer when it is exceeded.
func (s *Session) charge(n int, now time.Time) bool {
	if s.commands.AllowN(now, n) {
		return true
	}
	s.disconnect(errCommandFlood)
	return false
}

func (s *Session) command(c wire.Command, now time.Time) {
	switch c.Code {
	case wire.SegmentsAnnouncement:
		s.setAnnouncement(c, now)
	case wire.SegmentRequest:
		s.uploads.Request(c, now)
	case wire.CancelSegmentRequest:
		s.uploads.Cancel(c, now)
	case wire.SegmentData, wire.SegmentDataSendingCompleted, wire.SegmentAbsent:
		s.downloadCommand(c, now)
	}
}

// send queues a command. A peer that does not read its commands is disconnected.
func (s *Session) send(c wire.Command) {
	messages, err := wire.Encode(c, s.cfg.MaxMessageSize)
	if err != nil {
		s.cfg.Log.Error("encoding command", "command", c.Code.String(), "error", err)
		return
	}
	s.SendEncoded(messages)
}

// SendEncoded queues messages that were encoded before. It may be called by any goroutine.
func (s *Session) SendEncoded(messages [][]byte) {
	for _, msg := range messages {
		if err := s.conn.Send(msg); err != nil {
			if !errors.Is(err, mesh.ErrPeerClosed) {
				s.disconnect(err)
			}
			return
		}
	}
}

// Closed ends what runs on the connection.
func (s *Session) Closed() {
	s.uploads.Stop()
	s.downloadClosed()
}
