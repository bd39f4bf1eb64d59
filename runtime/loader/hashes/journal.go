package hashes

import (
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// Journal is what a seeder has to say. It is safe for concurrent use.
type Journal struct {
	mu      sync.Mutex
	journal *integrity.Journal
	changed chan struct{} // closed at the next record
	again   func(infoHash identity.InfoHash, id int64)
}

// NewJournal returns an empty journal.
func NewJournal() *Journal {
	return &Journal{journal: integrity.NewJournal(0), changed: make(chan struct{})}
}

// Add notes the hash of a segment in the swarm that knows it by id. again says that the origin was asked once more.
func (j *Journal) Add(infoHash identity.InfoHash, id int64, h integrity.Hash, again bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.journal.Add(string(infoHash), integrity.Segment{ID: id, Hash: h, Again: again})
	j.wake()
}

// wake lets reporters look again.
func (j *Journal) wake() {
	close(j.changed)
	j.changed = make(chan struct{})
}

// Cover notes which segments of a swarm have a hash, or get one as soon as they exist. Trackers may have forgotten the hashes
// of those in forgotten, which may be empty: the caller adds them again.
func (j *Journal) Cover(infoHash identity.InfoHash, span integrity.Span, now time.Time) (forgotten integrity.Span) {
	j.mu.Lock()
	defer j.mu.Unlock()
	less, forgotten := j.journal.Cover(string(infoHash), span, now)
	if less {
		j.wake()
	}
	return forgotten
}

// Len is how many records there were so far.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int(j.journal.End())
}

// OnDispute sets what is called for a segment that is to be fetched from the origin once more. It must not block.
func (j *Journal) OnDispute(again func(infoHash identity.InfoHash, id int64)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.again = again
}

func (j *Journal) dispute(places []integrity.Place) {
	j.mu.Lock()
	again := j.again
	j.mu.Unlock()
	if again == nil {
		return
	}
	for _, p := range places {
		again(identity.InfoHash(p.InfoHash), p.ID)
	}
}

// next are the records from a place on, the place behind them, and a channel that is closed at the next record if these
// are all.
func (j *Journal) next(seeder string, from int64, now time.Time) (integrity.Batch, int64, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	b, to := j.journal.Next(seeder, from, now)
	changed := (<-chan struct{})(j.changed)
	if to < j.journal.End() {
		changed = closed
	}
	return b, to, changed
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
