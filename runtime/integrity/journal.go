package integrity

import (
	"maps"
	"slices"
	"time"
)

// Journal is what one seeder has to say, in the order in which it learned it. Each of its trackers reads it from a place
// of its own. One goroutine at a time may use it.
type Journal struct {
	limit   int
	first   int64 // number of the oldest record
	records []record
	covers  map[string]vouched // by info hash
	begins  map[string]begins  // by info hash
}

// begins are where the span of a swarm began. Trackers forget the hashes below the span of a live playlist.
type begins struct {
	lowest int64 // of all
	now    int64
}

type record struct {
	infoHash string
	Segment
}

// Defaults of a Journal.
const (
	journalLength = 65_536           // records; the oldest go first
	coverMemory   = 30 * time.Second // how long a span is repeated that is not said again
)

// NewJournal returns an empty journal that keeps limit records at most; 0: 65,536.
func NewJournal(limit int) *Journal {
	if limit <= 0 {
		limit = journalLength
	}
	return &Journal{limit: limit, covers: make(map[string]vouched), begins: make(map[string]begins)}
}

// Add notes a segment's hash.
func (j *Journal) Add(infoHash string, s Segment) {
	if len(j.records) >= j.limit {
		drop := max(j.limit/4, 1)
		j.records = slices.Clone(j.records[drop:])
		j.first += int64(drop)
	}
	j.records = append(j.records, record{infoHash, s})
}

// Cover notes what the seeder vouches for in a swarm now. It is said again while the swarm is joined, and forgotten after
// half a minute otherwise. less tells whether the seeder takes back a part of what it vouched for, which trackers have to
// know soon. Of the segments in forgotten, which may be empty, trackers may have forgotten the hashes: the span began there
// before, then higher, and does again. The caller adds these hashes once more.
func (j *Journal) Cover(infoHash string, span Span, now time.Time) (less bool, forgotten Span) {
	before, known := j.covers[infoHash]
	j.covers[infoHash] = vouched{span: span, at: now}
	return known && before.span.To > span.To, j.begin(infoHash, span)
}

// begin notes where a span begins, and returns what trackers may have forgotten of it.
func (j *Journal) begin(infoHash string, span Span) (forgotten Span) {
	if span.To < span.From {
		return empty()
	}
	b, known := j.begins[infoHash]
	if !known {
		b = begins{span.From, span.From}
	}
	forgotten = Span{max(span.From, b.lowest), b.now - 1}
	j.begins[infoHash] = begins{min(b.lowest, span.From), span.From}
	return forgotten
}

// Next returns the records from a place on, at most MaxBatch, with every span, and the place behind them. Place 0 is the
// beginning.
func (j *Journal) Next(seeder string, from int64, now time.Time) (Batch, int64) {
	maps.DeleteFunc(j.covers, func(hash string, v vouched) bool {
		old := now.Sub(v.at) > coverMemory
		if old {
			delete(j.begins, hash)
		}
		return old
	})
	from = min(max(from, j.first), j.first+int64(len(j.records)))
	segments := make(map[string][]Segment)
	n := 0
	for _, r := range j.records[from-j.first:] {
		if _, known := segments[r.infoHash]; n == MaxBatch || (!known && len(segments) == MaxBatchSwarms) {
			break
		}
		segments[r.infoHash] = append(segments[r.infoHash], r.Segment)
		n++
	}
	b := Batch{Version: Version, Seeder: seeder, Swarms: []Swarm{}}
	names := slices.Collect(maps.Keys(segments))
	for _, hash := range slices.Sorted(maps.Keys(j.covers)) {
		if segments[hash] == nil && len(names) < MaxBatchSwarms {
			names = append(names, hash)
		}
	}
	slices.Sort(names)
	for _, hash := range names {
		s := Swarm{InfoHash: hash, Segments: segments[hash]}
		if v, ok := j.covers[hash]; ok {
			s.Covers = &v.span
		}
		b.Swarms = append(b.Swarms, s)
	}
	return b, from + int64(n)
}

// End is the place behind the newest record.
func (j *Journal) End() int64 { return j.first + int64(len(j.records)) }
