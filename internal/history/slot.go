package history

import "slices"

// What a slot sums: the counters in the order of Counters, and viewers and seeders, each times seconds. So slots can be added,
// and a mean is a sum divided by the time that is covered.
const (
	sumHTTP = iota
	sumSeeder
	sumViewer
	sumUploaded
	sumSeederHTTP
	sumStalls
	sumStallMs
	sumViewers
	sumSeeders
	sums

	counters = sumViewers
)

// What a slot has the highest value of.
const (
	peakViewers = iota
	peakStartupP50
	peakStartupP95
	peakStallP95
	peaks
)

// What a slot sums for a part of the stream.
const (
	partLine = iota
	partReceived
	partOneCopy
	partViewers // times seconds
	partSums
)

// slot is what came between two moments.
type slot struct {
	from, to int64 // milliseconds since 1970
	sums     [sums]float64
	peaks    [peaks]float32
	parts    []part // by id
}

type part struct {
	id   uint16
	sums [partSums]float32
}

func (s *slot) seconds() float64 { return float64(s.to-s.from) / 1000 }

// quiet reports whether nothing came, and only seeders were there.
func (s *slot) quiet() bool {
	for i, v := range s.sums {
		if v != 0 && i != sumSeeders {
			return false
		}
	}
	return s.peaks == [peaks]float32{} && len(s.parts) == 0
}

// goesOn reports whether a slot can become longer instead of having another one after it, so that a stream without viewers
// needs no memory.
func (s *slot) goesOn(next *slot) bool {
	return s.to == next.from && s.quiet() && next.quiet() && s.sums[sumSeeders]*next.seconds() == next.sums[sumSeeders]*s.seconds()
}

// add adds what came right after.
func (s *slot) add(next *slot) {
	s.to = next.to
	for i, v := range next.sums {
		s.sums[i] += v
	}
	for i, v := range next.peaks {
		s.peaks[i] = max(s.peaks[i], v)
	}
	for _, p := range next.parts {
		s.addPart(p)
	}
}

// addPart adds a part, and reports whether the slot had none of its number.
func (s *slot) addPart(p part) bool {
	i, found := slices.BinarySearchFunc(s.parts, p.id, func(q part, id uint16) int { return int(q.id) - int(id) })
	if !found {
		s.parts = slices.Insert(s.parts, i, p)
		return true
	}
	for j, v := range p.sums {
		s.parts[i].sums[j] += v
	}
	return false
}
