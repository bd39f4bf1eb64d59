package loader

import (
	"errors"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// Bounds of one engine, over all its renditions.
const (
	// MaxRenditions is how many are followed at a time: a manifest may name a thousand.
	MaxRenditions = 64
	// MaxSegments is how many segments are known at a time.
	MaxSegments = 200_000

	leastRetired   = 1024 // segments that have left a playlist and are still known, at least
	noTransitPause = 250 * time.Millisecond
	uploadLimit    = 2 * time.Minute // a reader slower than that goes on elsewhere, with what it has
	maxChecks      = 64              // segments that wait to be compared with the origin's
)

var (
	errTooManySegments = fmt.Errorf("more than %d segments in all playlists together", MaxSegments)
	// ErrTooManyRenditions says that more renditions are watched than one engine follows at a time.
	ErrTooManyRenditions = errors.New("too many renditions are watched at a time")
)

// bounded leaves out the renditions that are too many.
func (e *Engine) bounded(all []manifest.Rendition) []manifest.Rendition {
	kept := all[:0:0]
	for _, r := range all {
		if r.URI != "" { // audio that is muxed into the variants has no playlist of its own
			kept = append(kept, r)
		}
	}
	if len(kept) > MaxRenditions {
		e.log.Warn("the manifest names more renditions than are followed; name those that matter", "named", len(kept), "followed", MaxRenditions)
		kept = kept[:MaxRenditions]
	}
	return kept
}

// fits tells whether a playlist of n segments may be taken, and counts it if so: other renditions ask at the same time.
func (r *rendition) fits(n int) bool {
	for {
		all := r.e.segments.Load()
		with := all - int64(r.counted) + int64(n)
		if with > MaxSegments {
			return false
		}
		if r.e.segments.CompareAndSwap(all, with) {
			r.counted = n
			return true
		}
	}
}

// count keeps the engine's sum of known segments.
func (r *rendition) count(n int) {
	r.e.segments.Add(int64(n - r.counted))
	r.counted = n
}

// Bounds on how an origin is asked that fails for one segment after the other: a seeder would otherwise ask for all of
// a long playlist as fast as it can be refused.
const (
	rowOfFailures = 8
	longestRest   = 5 * time.Second
)

// resting tells whether a seeder lets its origin be for a moment.
func (r *rendition) resting(now time.Time) bool {
	if r.row < rowOfFailures {
		return false
	}
	return now.Before(r.rowAt.Add(min(noTransitPause<<min(r.row-rowOfFailures, 10), longestRest)))
}
