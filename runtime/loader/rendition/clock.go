package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/playback"
)

// track is the playback of one rendition.
type track struct {
	*playback.Clock
	track *playback.Track
}

// SetBuffered says how far the rendition can be played.
func (t track) SetBuffered(until time.Duration, now time.Time) {
	t.Clock.SetBuffered(t.track, until, now)
}

// end removes the track: the rendition is not played any more.
func (t track) end(now time.Time) { t.RemoveTrack(t.track, now) }
