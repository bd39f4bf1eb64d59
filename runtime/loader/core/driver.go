package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Driver carries out what a Core decides. Its methods return at once and send the Core no event: the one that they are part of
// has not ended. What they begin ends with an event of its own. They may read what the Core knows.
type Driver interface {
	// Own is the peer's id in the swarm of the first generation; false before it has joined that.
	Own() (identity.PeerID, bool)
	// Reachable tells whether any peer is connected, or was recently, in whatever rendition.
	Reachable(now time.Time) bool
	// Spare tells whether there is room for the bytes of one more transfer.
	Spare() bool

	// Fetch asks the origin for a segment, from the bytes held on. Its end is Core.Fetched.
	Fetch(seg *Segment, held []byte, now time.Time) Transfer
	// Ask asks a peer for a segment, from the bytes held on. Its end is Core.Answered.
	Ask(p Peer, seg *Segment, held []byte, now time.Time)
	// Checks and Verifies tell whether whole segments are examined: those that have bytes of peers by their hash, and all of
	// them by comparison with the origin's.
	Checks() bool
	Verifies() bool
	// Check begins to look for a segment's hash. Its end is Core.Checked.
	Check(e Examination) Transfer
	// Verify begins to compare a segment with the origin's bytes. Its end is Core.Verified.
	Verify(e Examination) Transfer

	// Stored says that a segment is held now.
	Stored(seg *Segment, data []byte)
	// Compare asks the origin for a part of a segment that is held, and tells trackers if it gives other bytes.
	Compare(seg *Segment, data []byte)
	// Release says that so many bytes belong to no unfinished segment any more, Discard that bytes are not used.
	Release(bytes int)
	Discard(data []byte)
	// Evicted says that segments left the store, which other renditions may know.
	Evicted(keys []store.Key)

	// Known says how many segments are known now.
	Known(segments int)
	// Learned says that other segments are known, or the same by other ids.
	Learned()
	// Forgotten says that nothing that was known is of use: a new event has begun.
	Forgotten()
	// NewEvent says the same once the playlist shows that event. True: the swarms are left for those of that event.
	NewEvent() bool
	// Reload asks for the playlist at once, and for the manifest before it if that is said.
	Reload(manifestToo bool)

	// Jumped says that playback fell out of the live window, TooLarge that a segment can never be held, Doubted that a new
	// event may have begun.
	Jumped()
	TooLarge(seg *Segment, bytes, limit int64)
	Doubted()
}

// Transfer is one from the origin, or an examination, that runs.
type Transfer interface {
	// Stop ends it. A transfer from the origin delivers what it has.
	Stop()
	Progress() Progress
}

// Progress is how far a transfer is.
type Progress struct {
	At                  time.Time // of the last bytes; zero before the first ones
	Received, Remaining int64     // bytes; Remaining is −1 if that is not known
}

// Peer is a connection to another peer of a swarm.
type Peer interface {
	ID() identity.PeerID
	Generation() identity.Generation
	Seeder() bool             // by its id: a preference, never trust
	Origin() signaling.Origin // where it is, as the tracker says
	Speed() int64             // bytes per second of its last delivery; 0 if unknown

	// Announced is what the peer announced last; nil before the first time.
	Announced() *Announcement
	// Flight is the request to it that runs; false if none does.
	Flight() (schedule.Flight, bool)
	// Cancel ends that request and returns the bytes that came, and how many the whole has; −1 if that is not known. It
	// returns false if none runs: one that has ended is answered.
	Cancel() (data []byte, total int64, running bool)
	// Blame says that the peer did not deliver what it announced, and whether that is too often.
	Blame(unreliable bool)
	// Convict says that the peer's bytes are not the origin's.
	Convict()
}

// Store holds segments, as far as there is room; see package store.
type Store interface {
	Put(key store.Key, rank int64, data []byte) (evicted []store.Key, ok bool)
	Has(key store.Key) bool
	Rank(key store.Key, rank int64)
	Rename(from, to store.Key) bool
	Remove(key store.Key)
	Reserve(key store.Key, rank, size int64) bool
	Release(key store.Key)
	Stats() store.Stats
}

// Clock is the playback of a viewer, over all its renditions, as far as one rendition is concerned.
type Clock interface {
	// Position is the media time played.
	Position(now time.Time) time.Duration
	// SetEnd says where playback ends; 0: that is not known.
	SetEnd(end time.Duration)
	// SetBuffered says up to which media time the rendition can be played.
	SetBuffered(until time.Duration, now time.Time)
}

// Readers are the players that read a segment while it arrives.
type Readers interface {
	// Begin lets another transfer show what it brings. It continues held.
	Begin(attempt int64, held []byte)
	// Keep drops what goes beyond held, after a transfer that failed.
	Keep(held []byte)
	// Withhold shows no more than the first bytes, until Reveal: what comes after them is not proven yet.
	Withhold(proven int)
	Reveal()
	// Answer gives the whole segment, or ends with err if that is not nil. Gone and TooSlow say that it left the playlist, and
	// that nothing came in time.
	Answer(data []byte, err error)
	Gone()
	TooSlow()

	// Len is how many of them wait, Waits since when, and Idle for how long no byte has come.
	Len() int
	Waits(yield func(since, dry time.Time))
	Idle(now time.Time) time.Duration
}

// Position is where a player is that is served on demand.
type Position interface {
	Sequence() int64      // media sequence of the segment that it asked for last
	Asked() time.Duration // media that it asked for in a row
	Dry() time.Time       // when its buffer is empty, at the earliest
	// Active tells whether it has asked for anything within so long.
	Active(now time.Time, within time.Duration) bool
}
