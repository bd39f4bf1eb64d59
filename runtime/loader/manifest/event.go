package manifest

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// An event is what a live URL shows between its begin and its end. A new one under the same URL may use the names and
// numbers of the last, so only the course of states tells them apart.

// relation is what a loaded state is to the one before it.
type relation int

const (
	onward relation = iota // of the same event, as new or newer
	older                  // may be what a lagging edge of the CDN still has
	moved                  // the same segments in other folders
	other                  // of another event
)

// relate compares two states of one playlist. It judges by what they list, not by time.
func relate(last, next *Playlist) relation {
	if anotherEpoch(last, next) {
		return other
	}
	back := next.LastSequence() < last.LastSequence() || next.MediaSequence < last.MediaSequence
	common, renamed, elsewhere := last.compare(next)
	switch {
	case !last.Ended && !back:
		return onward
	case !last.Ended && renamed:
		return other // numbers went back, and name something else than before
	case !last.Ended:
		return older
	case renamed, common == 0 && len(next.Segments) > 0 && next.LastSequence() >= last.LastSequence():
		return other
	case !next.Ended && next.LastSequence() > last.LastSequence():
		return other // it had ended and is live again
	case !next.Ended, next.LastSequence() < last.LastSequence(), common == 0:
		return older
	case elsewhere:
		return moved
	}
	return onward
}

// anotherEpoch tells whether the times of two live MPDs count from another moment: that does not change during an event.
// Source: ISO/IEC 23009-1 §5.4.
func anotherEpoch(last, next *Playlist) bool {
	if last.epoch.IsZero() || next.epoch.IsZero() || last.Ended || next.Ended {
		return false
	}
	return last.epoch.Sub(next.epoch).Abs() >= max(last.TargetDuration, next.TargetDuration)
}

// compare looks at the segments with numbers that both playlists list: how many there are, whether one has another name
// or range, and whether one has the same name in another folder, as URLs with a signature in their path have.
func (p *Playlist) compare(next *Playlist) (common int, renamed, elsewhere bool) {
	i := 0
	for _, b := range next.Segments {
		for i < len(p.Segments) && p.Segments[i].Sequence < b.Sequence {
			i++
		}
		if i == len(p.Segments) {
			break
		}
		a := p.Segments[i]
		if a.Sequence != b.Sequence {
			continue
		}
		common++
		pathA, nameA := splitName(a.URL)
		pathB, nameB := splitName(b.URL)
		switch {
		case nameA != nameB || (a.Range == nil) != (b.Range == nil) || (a.Range != nil && *a.Range != *b.Range):
			return common, true, elsewhere
		case pathA != pathB:
			elsewhere = true
		}
	}
	return common, false, elsewhere
}

// splitName splits a URL without its query at its last slash.
func splitName(rawURL string) (path, name string) {
	if i := strings.IndexAny(rawURL, "?#"); i >= 0 {
		rawURL = rawURL[:i]
	}
	i := strings.LastIndexByte(rawURL, '/') + 1
	return rawURL[:i], rawURL[i:]
}

// farBehind is a number of segments that no edge lags by.
const farBehind = 1 << 20

// farInARow is how many states that are far behind, one after the other, raise a suspicion: fewer come from a pool whose
// members number the same media differently.
const farInARow = 3

// longestLag bounds how old a state of a CDN's edge is believed to be: longer than most caches keep a playlist.
const longestLag = 2 * time.Minute

// regression watches states that do not follow from the current one.
type regression struct {
	since     time.Time // of the first in a row; zero: there is none
	firstEdge int64     // the lowest number that a state of this row ended with
	grown     bool      // a later one ended with a higher number
	row       int       // states since then
	behind    time.Duration
}

// judge takes a state that is behind the current one and tells whether a new event has begun. still is how long the
// current edge has been known. A state of a lagging edge is behind by less than the playlist is long, and is soon
// followed by one that is not behind. A new event grows from low numbers on; a stale copy does not grow.
func (g *regression) judge(last, next *Playlist, kind relation, still time.Duration, now time.Time) (begun, suspect bool) {
	if g.since.IsZero() || next.LastSequence() < g.firstEdge {
		lost := max(0, last.LastSequence()-next.LastSequence())
		// Numbers that count milliseconds would overflow a duration; all that matters is that they are far behind.
		behind := still + time.Duration(min(lost, farBehind))*last.TargetDuration
		*g = regression{since: now, firstEdge: next.LastSequence(), behind: behind}
	}
	g.row++
	g.grown = g.grown || next.LastSequence() > g.firstEdge || next.Ended
	target := max(last.TargetDuration, next.TargetDuration)
	lag := max(standstill*target, min(last.Window, longestLag))
	suspect = kind == other || (g.behind > lag && g.row >= farInARow) || now.Sub(g.since) > standstill*target
	patience := lag
	switch {
	case last.Ended && kind == other:
		return true, true // what has ended does not change
	case kind == other, g.behind > lag:
		patience = target
	}
	return g.grown && now.Sub(g.since) >= patience, suspect
}

// Follows tells whether next can be a later state of the event that last belongs to; false: a new event has begun under
// the URL. It is for callers that load now and then, such as after the end of an event. To follow a live playlist, use
// Follow: it also tells a new event from a lagging edge of the CDN.
func Follows(last, next *Playlist) bool {
	switch relate(last, next) {
	case other:
		return false
	case older:
		return next.Ended || !last.Ended
	default:
		return true
	}
}

// suspicion is the detail of a WentBackwards error: a new event may have begun.
type suspicion struct{ error }

// NewEventSuspected tells whether an error of Follow says that a new event may have begun: the numbers went back farther,
// or for longer, than those of a lagging edge of the CDN do.
func NewEventSuspected(err error) bool {
	var s suspicion
	return errors.As(err, &s)
}

func behindError(r Rendition, p, last *Playlist, suspect bool) error {
	err := fmt.Errorf("segments %d to %d after %d to %d", p.MediaSequence, p.LastSequence(), last.MediaSequence, last.LastSequence())
	if suspect {
		err = suspicion{fmt.Errorf("a new event may have begun: %w", err)}
	}
	return fail(ReasonWentBackwards, r.URI, err)
}
