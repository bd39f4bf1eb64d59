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
	s.parts = merged(s.parts, next.parts)
}

// merged returns the sums of two lists, and changes neither: a View may have them.
func merged(a, b []part) []part {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	n := len(a)
	for i, j := 0, 0; j < len(b); j++ {
		for i < len(a) && a[i].id < b[j].id {
			i++
		}
		if i == len(a) || a[i].id != b[j].id {
			n++
		}
	}
	out := make([]part, 0, n)
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].id < b[0].id:
			out, a = append(out, a[0]), a[1:]
		case len(a) == 0 || b[0].id < a[0].id:
			out, b = append(out, b[0]), b[1:]
		default:
			p := a[0]
			for i, v := range b[0].sums {
				p.sums[i] += v
			}
			out, a, b = append(out, p), a[1:], b[1:]
		}
	}
	return out
}

// trim gives back what a list has too much room for.
func trim(parts []part) []part {
	if cap(parts) == len(parts) {
		return parts
	}
	return append(make([]part, 0, len(parts)), parts...)
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
