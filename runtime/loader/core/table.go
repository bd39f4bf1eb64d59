package core

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// table has the segments of one rendition.
type table struct {
	order   []*Segment // playlist order; those that left the playlist come first
	byKey   map[store.Key]*Segment
	bySeq   map[int64]*Segment // the first with its number
	settled *manifest.Playlist // the last one that settle has seen
}

func newTable() table {
	return table{byKey: make(map[store.Key]*Segment), bySeq: make(map[int64]*Segment)}
}

func (t *table) add(seg *Segment) {
	t.byKey[seg.Key] = seg
	if t.bySeq[seg.Sequence] == nil {
		t.bySeq[seg.Sequence] = seg
	}
	t.order = append(t.order, seg)
}

// remove forgets a segment; the caller takes it out of order.
func (t *table) remove(seg *Segment) {
	delete(t.byKey, seg.Key)
	if t.bySeq[seg.Sequence] == seg {
		delete(t.bySeq, seg.Sequence)
	}
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
		if seg.InPlaylist() {
			most = max(most, seg.NextID(g)-seg.ID(g))
		}
	}
	return most
}

// externalID maps a media sequence to a generation's segment id; -1 if it is unknown.
func (t *table) externalID(sequence int64, g identity.Generation) int64 {
	if seg := t.bySeq[sequence]; seg != nil && seg.Clear(g) {
		return seg.ID(g)
	}
	return -1
}

// heldAt tells whether the segment at a presentation time is held.
func (t *table) heldAt(position time.Duration) bool {
	for _, seg := range t.order {
		if seg.Start <= position && position < seg.Start+seg.Duration {
			return seg.Held()
		}
	}
	return false
}

// IDs are the ids of all known segments, as peers of a generation call them, and how many ids lie between one and the next one
// at most.
func (c *Core) IDs(g identity.Generation) (ids []int64, step int64) {
	return c.table.ids(g), c.table.step(g)
}

// ExternalID maps a media sequence to a generation's segment id; -1 if it is unknown, or has two meanings.
func (c *Core) ExternalID(sequence int64, g identity.Generation) int64 {
	return c.table.externalID(sequence, g)
}

// ByKey is the segment with a key; nil if it is unknown.
func (c *Core) ByKey(key store.Key) *Segment { return c.table.byKey[key] }

// Current tells whether a segment is still the one of its key.
func (c *Core) Current(seg *Segment) bool { return c.table.byKey[seg.Key] == seg }
