package rendition

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// segment is one segment of a rendition and how far this peer is with it. The
// rendition's owner has it; transfers use arriving and requests only.
type segment struct {
	manifest.Segment
	key      store.Key
	state    schedule.State
	partial  []byte // bytes held of an unfinished segment, from whatever source
	total    int64  // bytes of the whole; -1 if unknown
	claimed  int64  // size of the whole as the sources of partial said; -1 if they did not
	failures int    // of the origin, since the last success
	retryAt  time.Time
	retired  time.Time        // when it left the playlist; zero while it is in it
	from     *session.Session // peer that was asked
	notFrom  *session.Session // peer that failed last
	stop     context.CancelFunc
	since    time.Time // when the origin was asked
	problem  error     // the origin's last error
	attempt  int64     // counts the transfers
	number   int64     // media sequence when the table was settled last
	again    bool      // its name stood in the playlist before, for another segment
	arriving atomic.Pointer[arrival]
	origins  provenance
	vouched  bool // of a live seeder: it was in what the seeder vouches for, and is still held
	unproven int  // how often bytes of peers could not be checked, since it was held last

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
	requests ondemand.Requests
	due      time.Time // when players need it; zero if none does
	used     time.Time // when it came, or was asked for last

	unclaimedAt time.Time // since when no peer holds it or is getting it, though a viewer wants it; zero: one does

	unclear []identity.Generation // whose peers name other segments by its id, or may
}

// arrival is how far a transfer from the origin is.
type arrival struct {
	at                  time.Time
	received, remaining int64
}

func newSegment(m manifest.Segment, key store.Key) *segment {
	seg := &segment{Segment: m, key: key, total: -1, claimed: -1, number: m.Sequence}
	if m.Range != nil {
		seg.total = m.Range.Length
	}
	return seg
}

// remaining is how many of total bytes are still to come; −1 if that is not known.
func remaining(total int64, have int) int64 {
	if total < 0 {
		return -1
	}
	return total - int64(have)
}

// begin counts a new transfer, which continues the bytes held.
func (s *segment) begin(held []byte) int64 {
	s.attempt++
	s.requests.Begin(s.attempt, held)
	return s.attempt
}

func (s *segment) held() bool { return s.state == schedule.Held }

// inPlaylist tells whether the playlist names the segment.
func (s *segment) inPlaylist() bool { return s.retired.IsZero() }

// table has the segments of one rendition. The rendition's owner has it.
type table struct {
	order   []*segment // playlist order; those that left the playlist come first
	byKey   map[store.Key]*segment
	bySeq   map[int64]*segment // the first with its number
	counted int                // segments counted in sum
	sum     *atomic.Int64      // segments of all renditions
	settled *manifest.Playlist // the last one that settle has seen
}

func newTable(sum *atomic.Int64) table {
	return table{byKey: make(map[store.Key]*segment), bySeq: make(map[int64]*segment), sum: sum}
}

func (t *table) add(seg *segment) {
	t.byKey[seg.key] = seg
	if t.bySeq[seg.Sequence] == nil {
		t.bySeq[seg.Sequence] = seg
	}
	t.order = append(t.order, seg)
}

// remove forgets a segment; the caller takes it out of order.
func (t *table) remove(seg *segment) {
	delete(t.byKey, seg.key)
	if t.bySeq[seg.Sequence] == seg {
		delete(t.bySeq, seg.Sequence)
	}
}

// fits tells whether a playlist of n segments may be taken, and counts it if so: other renditions ask at the same time.
func (t *table) fits(n int) bool {
	for {
		all := t.sum.Load()
		with := all - int64(t.counted) + int64(n)
		if with > MaxSegments {
			return false
		}
		if t.sum.CompareAndSwap(all, with) {
			t.counted = n
			return true
		}
	}
}

// count keeps the sum of known segments.
func (t *table) count(n int) {
	t.sum.Add(int64(n - t.counted))
	t.counted = n
}

// ids are the ids of all segments, as peers of a generation call them.
func (t *table) ids(g identity.Generation) []int64 {
	out := make([]int64, len(t.order))
	for i, seg := range t.order {
		out[i] = seg.ID(g)
	}
	return out
}

// step is how many ids lie between a segment and the next one, at most.
func (t *table) step(g identity.Generation) int64 {
	most := int64(1)
	for _, seg := range t.order {
		if seg.inPlaylist() {
			most = max(most, seg.NextID(g)-seg.ID(g))
		}
	}
	return most
}

// externalID maps a media sequence to a generation's segment id; -1 if it is unknown.
func (t *table) externalID(sequence int64, g identity.Generation) int64 {
	if seg := t.bySeq[sequence]; seg != nil && seg.clear(g) {
		return seg.ID(g)
	}
	return -1
}

// heldAt tells whether the segment at a presentation time is held.
func (t *table) heldAt(position time.Duration) bool {
	for _, seg := range t.order {
		if seg.Start <= position && position < seg.Start+seg.Duration {
			return seg.held()
		}
	}
	return false
}
