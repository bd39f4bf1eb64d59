package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// Segment is one segment of a rendition and how far this peer is with it. A driver reads what is exported.
type Segment struct {
	manifest.Segment
	Key      store.Key
	State    schedule.State
	Partial  []byte // bytes held of an unfinished segment, from whatever source
	Total    int64  // bytes of the whole; -1 if unknown
	Failures int    // of the origin, since the last success
	RetryAt  time.Time
	From     Peer    // peer that was asked
	NotFrom  Peer    // peer that failed last
	Attempt  int64   // counts the transfers
	Problem  Failure // the origin's last one
	Peers    []Peer  // that gave bytes of what is held or arriving, if these are to be checked
	Unproven int     // how often bytes of peers could not be checked, since it was held last
	Readers  Readers

	// Hash is for the driver: that of a segment that is held, if it was computed. Hashing is set while it is being computed,
	// and Vouched, by a live seeder, while it is held and in what the seeder vouches for.
	Hash             integrity.Hash
	Hashing, Vouched bool

	claimed  int64     // size of the whole as the sources of Partial said; -1 if they did not
	retired  time.Time // when it left the playlist; zero while it is in it
	since    time.Time // when the origin was asked
	transfer Transfer  // of what is being fetched, or examined
	number   int64     // media sequence when the table was settled last
	again    bool      // its name stood in the playlist before, for another segment
	proven   int       // bytes before those of Peers, which the origin gave

	// Edge seeders only; zero once it is held.
	wantedAt  time.Time // when it was first to be got from another seeder
	offeredAt time.Time // when one outside of the site had it first
	tries     int       // requests to other seeders

	rank     int64 // in the store, as told last
	worth    int64 // of a film: the rank if it is to be held, else 0
	reserved bool  // the store keeps room for it
	noRoom   bool  // the store did not take it

	// Live seeders only.
	kept bool // it was held when last looked at
	lost bool // it was held, and had to make room

	// On demand only.
	due  time.Time // when players need it; zero if none does
	used time.Time // when it came, or was asked for last

	unclaimedAt time.Time // since when no peer holds it or is getting it, though a viewer wants it; zero: one does

	unclear []identity.Generation // whose peers name other segments by its id, or may
}

// newSegment is one of which nothing is held.
func (c *Core) newSegment(m manifest.Segment, key store.Key) *Segment {
	seg := &Segment{Segment: m, Key: key, Total: -1, claimed: -1, number: m.Sequence, Readers: NoReaders{}}
	if c.Config.NewReaders != nil {
		seg.Readers = c.Config.NewReaders()
	}
	if m.Range != nil {
		seg.Total = m.Range.Length
	}
	return seg
}

// begin counts a new transfer, which continues the bytes held.
func (s *Segment) begin(held []byte) {
	s.Attempt++
	s.Readers.Begin(s.Attempt, held)
}

// Held tells whether the whole segment is in the store.
func (s *Segment) Held() bool { return s.State == schedule.Held }

// InPlaylist tells whether the playlist names the segment.
func (s *Segment) InPlaylist() bool { return s.retired.IsZero() }

// Progress is how far the transfer from the origin is that brings the segment; zero without one.
func (s *Segment) Progress() Progress {
	if s.State != schedule.Fetching {
		return Progress{}
	}
	return s.transfer.Progress()
}
