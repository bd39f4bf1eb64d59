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
	return &Journal{limit: limit, covers: make(map[string]vouched)}
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
// half a minute otherwise. It tells whether the seeder takes back a part of what it vouched for, which trackers have to
// know soon.
func (j *Journal) Cover(infoHash string, span Span, now time.Time) (less bool) {
	before, known := j.covers[infoHash]
	j.covers[infoHash] = vouched{span, now}
	return known && before.span.To > span.To
}

// Next returns the records from a place on, at most MaxBatch, with every span, and the place behind them. Place 0 is the
// beginning.
func (j *Journal) Next(seeder string, from int64, now time.Time) (Batch, int64) {
	maps.DeleteFunc(j.covers, func(_ string, v vouched) bool { return now.Sub(v.at) > coverMemory })
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
