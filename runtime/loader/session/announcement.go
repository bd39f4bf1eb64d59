package session

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// Announcement is the full state that a peer announced last; it does not change. A nil one announces nothing.
type Announcement struct {
	loaded  map[int64]struct{}
	loading map[int64]time.Time // since when
}

// Holding is what the peer says of a segment. A claim to be fetching it counts if it was first made after since.
func (a *Announcement) Holding(id int64, since time.Time) schedule.Holding {
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

// Loaded calls yield with the id of each segment that the peer holds.
func (a *Announcement) Loaded(yield func(id int64) bool) {
	if a == nil {
		return
	}
	for id := range a.loaded {
		if !yield(id) {
			return
		}
	}
}

// Len is the number of segments that the peer announces.
func (a *Announcement) Len() int {
	if a == nil {
		return 0
	}
	return len(a.loaded) + len(a.loading)
}

// LoadedLen is the number of segments that the peer holds.
func (a *Announcement) LoadedLen() int {
	if a == nil {
		return 0
	}
	return len(a.loaded)
}

// OldestClaim is the time before which a claim to be fetching a segment has expired at now.
func OldestClaim(now time.Time, targetDuration time.Duration) time.Time {
	return now.Add(-max(minClaim, claimTargets*targetDuration))
}

// Announced is the peer's last announcement; nil before the first. It may be called by any goroutine.
func (s *Session) Announced() *Announcement { return s.announced.Load() }

// setAnnouncement takes the peer's full state.
func (s *Session) setAnnouncement(c wire.Command, now time.Time) {
	known := s.cfg.Index.Known(s.generation)
	a := &Announcement{loaded: known.Filter(c.Loaded), loading: make(map[int64]time.Time, min(len(c.Loading), 64))}
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
		a.loading[id] = since
	}
	s.claims = claims
	s.announced.Store(a)
	s.cfg.Announced(s)
}

// removeAnnounced drops a segment that the peer denies having from its announcement.
func (s *Session) removeAnnounced(id int64) {
	old := s.announced.Load()
	if old.Holding(id, time.Time{}) != schedule.Loaded {
		return
	}
	a := &Announcement{loaded: make(map[int64]struct{}, len(old.loaded)), loading: old.loading}
	for k := range old.loaded {
		if k != id {
			a.loaded[k] = struct{}{}
		}
	}
	s.announced.Store(a)
}
