package core

import (
	"maps"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Announcement is the full state that a peer announced last; it does not change. A nil one announces nothing.
type Announcement struct {
	loaded  map[int64]struct{}
	loading map[int64]time.Time // since when
}

// NewAnnouncement is an announcement of the segments that a peer holds and of those that it is fetching, and since when. It
// keeps both maps.
func NewAnnouncement(loaded map[int64]struct{}, loading map[int64]time.Time) *Announcement {
	return &Announcement{loaded: loaded, loading: loading}
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

// Without is the announcement without a segment that the peer was thought to hold.
func (a *Announcement) Without(id int64) *Announcement {
	if a.Holding(id, time.Time{}) != schedule.Loaded {
		return a
	}
	loaded := maps.Clone(a.loaded)
	delete(loaded, id)
	return &Announcement{loaded: loaded, loading: a.loading}
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

// How long a peer's claim to be fetching a segment counts: so many target durations, and MinClaim at least.
const (
	MinClaim     = 10 * time.Second
	claimTargets = 3
)

// OldestClaim is the time before which a claim to be fetching a segment has expired at now.
func OldestClaim(now time.Time, targetDuration time.Duration) time.Time {
	return now.Add(-max(MinClaim, claimTargets*targetDuration))
}
