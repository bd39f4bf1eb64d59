package ondemand

import "errors"

// Reasons for which a segment cannot be read by a player.
var (
	// ErrUnknownSegment: the playlist never named it, or it left the playlist long ago.
	ErrUnknownSegment = errors.New("the playlist names no such segment")
	// ErrGap: the playlist says that the origin lacks it.
	ErrGap = errors.New("the playlist says that there is a gap")
	// ErrGone: it left the playlist while it was waited for, or the stream restarted.
	ErrGone = errors.New("the segment left the playlist")
	// ErrTooSlow: neither peers nor the origin delivered any byte within the wait limit.
	ErrTooSlow = errors.New("no bytes came in time")
	// ErrChanged: bytes that the player has read already turned out to be wrong.
	ErrChanged = errors.New("the segment changed while it was read")
	// ErrStopped: the engine has ended.
	ErrStopped = errors.New("the engine has stopped")
)
