package viewerapi

import (
	"strconv"
	"strings"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// An event is what a live URL shows between its begin and its end. Pages of an old event keep its segments and would hand
// them to pages of the new one, which ask for the same numbers; a page cannot be told. So each event has a swarm of its
// own, and the tracker says when a new one begins.
const (
	// edgeLags is how far behind the newest state an edge of a CDN may be, in time and in segments.
	edgeLags        = 10 * time.Second
	edgeLagSegments = 3
	// endIsOld is when an end is so old that what is live again cannot come from an edge that lags.
	endIsOld = 30 * time.Second
	// epochSkew is how far in the future an epoch of a seeder may lie: trackers do not share a clock.
	epochSkew = time.Minute
)

// step says what a playlist is to the one read before it.
type step int

const (
	continues step = iota // the same event
	doubtful              // an older state, or a new event that begins: the next playlists tell
	begins                // a new event
)

// event follows the playlists of one URL. Its zero value has read none.
type event struct {
	last    *manifest.Playlist // of this event
	endedAt time.Time          // when last was first seen to have ended; zero: it has not
	// doubt is since when playlists are behind last, and from which edge on.
	doubt     time.Time
	doubtEdge int64
	epoch     int64 // Unix time in seconds of the begin; 0: the first event that was seen
}

// next takes the next playlist that was read.
func (e *event) next(p *manifest.Playlist, now time.Time) step {
	s := e.judge(p, now)
	switch s {
	case doubtful:
		if e.doubt.IsZero() || p.LastSequence() < e.doubtEdge {
			e.doubt, e.doubtEdge = now, p.LastSequence()
		}
		return s
	case begins:
		e.epoch, e.endedAt = max(now.Unix(), e.epoch+1), time.Time{}
	}
	e.last, e.doubt = p, time.Time{}
	switch {
	case !p.Ended:
		e.endedAt = time.Time{}
	case e.endedAt.IsZero():
		e.endedAt = now
	}
	return s
}

func (e *event) judge(p *manifest.Playlist, now time.Time) step {
	last := e.last
	switch {
	case last == nil || last == p:
		return continues
	case p.Restarted:
		return begins
	case last.Ended && p.Ended:
		if agree(last, p) {
			return continues
		}
		return begins
	case last.Ended:
		return e.afterEnd(p, now)
	case p.LastSequence() >= last.LastSequence() || p.Ended || !behindEdges(p, last):
		return continues
	}
	// The numbers went back farther than an edge lags, and the reader had just begun anew: it does not know them. As in
	// manifest.Follow, they must go on for longer than a lagging edge needs to catch up.
	patience := max(3*p.TargetDuration, min(last.Window, 2*time.Minute))
	if !e.doubt.IsZero() && now.Sub(e.doubt) > patience && p.LastSequence() > e.doubtEdge {
		return begins
	}
	return doubtful
}

// afterEnd judges a live playlist after the end. An edge that lags shows the event as it was shortly before its end.
func (e *event) afterEnd(p *manifest.Playlist, now time.Time) step {
	lagging := p.LastSequence() <= e.last.LastSequence() && agree(e.last, p) && !behindEdges(p, e.last)
	if !lagging || now.Sub(e.endedAt) > endIsOld || (!e.doubt.IsZero() && now.Sub(e.doubt) > edgeLags) {
		return begins
	}
	return doubtful
}

// behindEdges tells whether p is farther behind last than an edge that lags.
func behindEdges(p, last *manifest.Playlist) bool {
	lag := last.LastSequence() - p.LastSequence()
	return lag > edgeLagSegments && time.Duration(lag)*last.TargetDuration > edgeLags
}

// agree tells whether two playlists can be states of one event: there are numbers in both, and under these the same
// durations. Names say nothing: each session may have its own.
func agree(a, b *manifest.Playlist) bool {
	durations := make(map[int64]time.Duration, len(a.Segments))
	for _, s := range a.Segments {
		durations[s.Sequence] = s.Duration
	}
	both := 0
	for _, s := range b.Segments {
		d, ok := durations[s.Sequence]
		if ok && d != s.Duration {
			return false
		}
		if ok {
			both++
		}
	}
	return both > 0 || len(a.Segments) == 0 && len(b.Segments) == 0
}

// epochSign stands between the id of the first event's swarm and the epoch of a later one.
const epochSign = "@"

// swarmOf returns the swarm id of an event.
func swarmOf(base string, epoch int64) string {
	if base == "" || epoch == 0 {
		return base
	}
	return base + epochSign + strconv.FormatInt(epoch, 36)
}

// epochOf returns the epoch in a swarm id of base: 0 for base itself. ok is false for every other text.
func epochOf(base, swarmID string) (epoch int64, ok bool) {
	if swarmID == base {
		return 0, true
	}
	text, found := strings.CutPrefix(swarmID, base+epochSign)
	epoch, err := strconv.ParseInt(text, 36, 64)
	if !found || base == "" || err != nil || epoch <= 0 || strconv.FormatInt(epoch, 36) != text {
		return 0, false
	}
	return epoch, true
}
