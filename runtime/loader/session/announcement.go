package session

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// Announced is the peer's last announcement; nil before the first. It may be called by any goroutine.
func (s *Session) Announced() *core.Announcement { return s.announced.Load() }

// setAnnouncement takes the peer's full state.
func (s *Session) setAnnouncement(c wire.Command, now time.Time) {
	known := s.cfg.Index.Known(s.generation)
	loading := make(map[int64]time.Time, min(len(c.Loading), 64))
	// A claim that was withdrawn and is made again keeps its age.
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
		loading[id] = since
	}
	s.claims = claims
	s.announced.Store(core.NewAnnouncement(known.Filter(c.Loaded), loading))
	s.cfg.Announced(s)
}

// removeAnnounced drops a segment that the peer denies having from its announcement.
func (s *Session) removeAnnounced(id int64) {
	s.announced.Store(s.announced.Load().Without(id))
}
