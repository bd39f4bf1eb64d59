package history

import (
	"math"
	"time"
)

// Slots that a Ring has at most. Samples that come late make shorter minutes, for which there is some room.
const (
	fineSlots   = int(Fine / FineStep)
	coarseSlots = int((Span-Fine)/CoarseStep) * 5 / 4
)

// firstRendition is the number of the first rendition in a slot; sites have the lower ones.
const firstRendition = MaxSites + 1

// Ring is the history. The zero value is not usable; see New.
type Ring struct {
	fine, coarse queue
	sites        names
	renditions   names
	last         Sample
	began        bool
	level        int   // steps are 2^level times as long
	parts        int   // that all slots have
	busy         int64 // end of the last slot in which something came, in milliseconds since 1970
}

// New returns an empty history.
func New() *Ring {
	return &Ring{fine: queue{most: fineSlots}, coarse: queue{most: coarseSlots}, sites: newNames(MaxSites), renditions: newNames(MaxRenditions)}
}

// Add takes a sample. The first one only says where the counters stand. A sample that is not later than the one before is
// dropped: the clock was set back.
func (r *Ring) Add(s Sample) {
	if !r.began {
		r.last, r.began = s, true
		return
	}
	next := slot{from: r.last.At.UnixMilli(), to: s.At.UnixMilli()}
	if next.to <= next.from {
		return
	}
	came := s.since(r.last.Counters)
	copy(next.sums[:], came[:])
	next.sums[sumViewers] = known(s.Viewers) * next.seconds()
	next.sums[sumSeeders] = known(s.Seeders) * next.seconds()
	next.peaks = [peaks]float32{peakViewers: float32(known(s.Viewers)), peakStartupP50: milliseconds(s.StartupP50),
		peakStartupP95: milliseconds(s.StartupP95), peakStallP95: milliseconds(s.StallP95)}
	if n := min(len(s.Sites), MaxSites+1) + min(len(s.Renditions), MaxRenditions+1); n > 0 {
		next.parts = make([]part, 0, n)
	}
	for _, p := range s.Sites {
		next.take(&r.sites, 0, p)
	}
	for _, p := range s.Renditions {
		next.take(&r.renditions, firstRendition, p)
	}
	next.parts = trim(next.parts)
	if r.busy == 0 || !next.quiet() {
		r.busy = next.to
	}
	r.last = s
	r.last.Sites, r.last.Renditions = nil, nil
	r.remember(next)
}

// take adds what a sample says of a site or a rendition, whose numbers begin at first.
func (s *slot) take(n *names, first int, p Part) {
	sums := [partSums]float32{partLine: float32(known(p.Line)), partReceived: float32(known(p.Received)),
		partOneCopy: float32(known(p.OneCopy)), partViewers: float32(known(p.Viewers) * s.seconds())}
	if sums == [partSums]float32{} {
		return
	}
	// A name has its place from here on, or the next one of this sample would get it too.
	if id := n.id(p.Name); s.addPart(part{uint16(first + id), sums}) {
		n.note(id, 1)
	}
}

// known returns a value that can be summed, 0 for one that cannot.
func known(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

func milliseconds(d time.Duration) float32 {
	return float32(max(0, float64(d)/float64(time.Millisecond)))
}

// remember appends a slot, and makes room for it.
func (r *Ring) remember(next slot) {
	if last := r.fine.last(); last != nil && (last.goesOn(&next) || r.level > 0 && next.to-last.from <= r.longest(FineStep)) {
		r.join(last, &next)
	} else {
		if r.fine.full() {
			r.age()
		}
		r.push(&r.fine, next)
	}
	for r.fine.first() != nil && next.to-r.fine.first().to >= Fine.Milliseconds() {
		r.age()
	}
	for r.coarse.first() != nil && next.to-r.coarse.first().to >= Span.Milliseconds() {
		r.drop()
	}
}

// longest is how many milliseconds slots that are joined may be long; samples come a bit late.
func (r *Ring) longest(step time.Duration) int64 { return (step<<r.level + FineStep/2).Milliseconds() }

// push and pop keep count of parts.
func (r *Ring) push(q *queue, s slot) {
	q.push(s)
	r.parts += len(s.parts)
}

func (r *Ring) pop(q *queue) slot {
	s := q.pop()
	r.parts -= len(s.parts)
	return s
}

// join adds to the last slot of a queue what came after it, whose names are counted.
func (r *Ring) join(last, next *slot) {
	r.count(last, -1)
	r.count(next, -1)
	r.parts -= len(last.parts)
	last.add(next)
	r.parts += len(last.parts)
	r.count(last, 1)
}

// age moves the oldest of the fine slots into the newest minute, or into one of its own.
func (r *Ring) age() {
	old := r.pop(&r.fine)
	if last := r.coarse.last(); last != nil && (old.to-last.from <= r.longest(CoarseStep) || last.goesOn(&old)) {
		r.join(last, &old)
		return
	}
	if r.coarse.full() {
		r.drop()
	}
	r.push(&r.coarse, old)
}

// drop forgets the oldest slot.
func (r *Ring) drop() {
	q := &r.coarse
	if q.count == 0 {
		q = &r.fine
	}
	old := r.pop(q)
	r.count(&old, -1)
}

// count notes the names of a slot that is remembered, or is not any more.
func (r *Ring) count(s *slot, more int) {
	for _, p := range s.parts {
		if id := int(p.id); id < firstRendition {
			r.sites.note(id, more)
		} else {
			r.renditions.note(id-firstRendition, more)
		}
	}
}

// each calls f with all slots, the oldest first.
func (r *Ring) each(f func(*slot)) {
	r.coarse.each(f)
	r.fine.each(f)
}

// Reach returns how far back the history goes from its last sample.
func (r *Ring) Reach() time.Duration {
	oldest := r.coarse.first()
	if oldest == nil {
		oldest = r.fine.first()
	}
	if oldest == nil {
		return 0
	}
	return min(time.Duration(r.last.At.UnixMilli()-oldest.from)*time.Millisecond, Span)
}

// Names returns how many sites and renditions have a place of their own.
func (r *Ring) Names() int { return r.sites.count() + r.renditions.count() }
