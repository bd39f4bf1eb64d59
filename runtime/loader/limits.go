package loader

import (
	"errors"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
)

// Bounds of one engine, over all its renditions.
const (
	// MaxRenditions is how many are followed at a time: a manifest may name a thousand.
	MaxRenditions = 64
	// MaxSegments is how many segments are known at a time.
	MaxSegments = rendition.MaxSegments
)

// ErrTooManyRenditions says that more renditions are watched than one engine follows at a time.
var ErrTooManyRenditions = errors.New("too many renditions are watched at a time")

// bounded returns the first MaxRenditions that have a playlist of their own.
func (e *Engine) bounded(all []manifest.Rendition) []manifest.Rendition {
	kept := all[:0:0]
	for _, r := range all {
		if r.URI != "" { // audio that is muxed into the variants has no playlist of its own
			kept = append(kept, r)
		}
	}
	if len(kept) > MaxRenditions {
		e.log.Warn("the manifest names more renditions than are followed; select the ones that matter", "named", len(kept), "followed", MaxRenditions)
		kept = kept[:MaxRenditions]
	}
	return kept
}
