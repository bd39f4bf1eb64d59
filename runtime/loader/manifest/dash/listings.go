package dash

import (
	"math"
	"math/big"
)

// listNumbers lists what is named by numbers and a duration: what is available now.
// Source: shaka-player 4.16.9, SegmentTemplate.generateSegmentIndexFromDuration_.
func (r *representation) listNumbers(at *availability) (listing, error) {
	p, s := r.period, r.source
	each := s.duration / s.timescale
	first := math.Ceil((math.Max(at.first(), p.start) - p.start) / each)
	last := math.Ceil((math.Min(at.last(), p.end())-p.start)/each) - 1
	if r.earliness != 0 {
		last++
	}
	first, last = first+s.number, last+s.number
	if !at.static {
		first = math.Max(first, last-newestOnly+1)
	}
	if r.set.lastNumber != 0 {
		last = r.set.lastNumber
	}
	switch {
	case math.IsNaN(first) || math.IsNaN(last) || last < first:
		return listing{r: r}, nil
	case math.IsInf(last, 1):
		return listing{}, fail(ReasonInvalid, "nothing says where numbered segments end")
	case last > maxInteger || first < -maxInteger:
		return listing{}, fail(ReasonTooLarge, "more segments than a browser can count")
	}
	return listing{r: r, count: int64(last-first) + 1, first: int64(first), walk: func(from int64, f func(raw) error) error {
		for number := first + float64(from); number <= last; number++ {
			place := number - s.number
			w := raw{start: place*each + p.start, next: (place+1)*each + p.start, number: number, time: place * s.duration}
			w.end = math.Min(w.start+each, p.end())
			w.written, w.writtenNext = r.writtenPlace(place), r.writtenPlace(place+1)
			if w.time > maxInteger {
				a, _ := big.NewFloat(place).Int(nil)
				b, _ := big.NewFloat(s.duration).Int(nil)
				w.exactTime = a.Mul(a, b)
			}
			if err := f(w); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// writtenPlace is where the segment at a place of the period begins for V3: it takes the offset off although places count from
// the begin of the period. Source: mpd-parser 1.4.0.
func (r *representation) writtenPlace(place float64) float64 {
	s := r.source
	return r.period.start + (place*s.duration-s.offset)/s.timescale
}

// listTimeline lists the entries of a timeline within the period.
// Source: shaka-player 4.16.9, TimelineSegmentIndex.get.
func (r *representation) listTimeline(dynamic bool) listing {
	p, s := r.period, r.source
	total := int64(0)
	s.line.fitting(p.end(), func(entry) bool { total++; return true })
	return listing{r: r, count: total, walk: func(from int64, f func(raw) error) (err error) {
		i := int64(-1)
		s.line.fitting(p.end(), func(e entry) bool {
			if i++; i < from {
				return true
			}
			w := raw{start: p.start + e.start, end: p.start + e.end, number: float64(e.position) + s.number, time: e.unscaled + s.offset}
			if end := p.end(); i == total-1 && !math.IsInf(end, 1) {
				// The last segment lasts as long as the period, except while that may still grow.
				if dynamic && math.Abs(w.end-end) > 0.1 {
					end = math.Min(w.end, end)
				}
				w.end = end
			}
			w.written, w.writtenNext = w.start, w.end
			err = f(w)
			return err == nil
		})
		return err
	}}
}

// eachListed calls f with the times of each URL of a SegmentList.
// Source: shaka-player 4.16.9, SegmentList.createSegmentReferences_.
func (r *representation) eachListed(f func(i int, start, end float64)) {
	p, s := r.period, r.source
	count, previous := len(s.list), 0.0
	var ends []float64
	if s.line != nil {
		count = min(count, s.line.count)
		s.line.each(func(e entry) bool {
			if len(ends) == 0 {
				previous = e.start
			}
			ends = append(ends, e.end)
			return len(ends) < count
		})
	}
	each := s.duration / s.timescale
	if each != 0 {
		previous = each * (s.number - 1)
	}
	for i := range count {
		end := previous + p.duration
		switch {
		case each != 0:
			end = previous + each
		case s.line != nil:
			end = ends[i]
		}
		f(i, p.start+previous, p.start+end)
		previous = end
	}
}

func (r *representation) listURLs(dynamic bool) listing {
	var all []raw
	r.eachListed(func(i int, start, end float64) {
		l := r.source.list[i]
		w := raw{start: start, end: end, media: l.media, written: start, writtenNext: end}
		if r.source.duration != 0 {
			w.written, w.writtenNext = r.writtenPlace(float64(i)), r.writtenPlace(float64(i+1))
		}
		if !l.whole {
			part := l.part
			w.part = &part
		}
		all = append(all, w)
	})
	return r.fit(all, dynamic)
}

// listIndex lists what a segment index names. Its bytes are in the resource that the index is in.
func (r *representation) listIndex(dynamic bool, indexes map[string][]byte) (listing, error) {
	s := r.source
	if s.webm {
		return listing{}, fail(ReasonNoIndex, "the index of WebM is not read")
	}
	data, ok := indexes[s.index.resource().Key()]
	if !ok {
		return listing{}, fail(ReasonNoIndex, "the index of a representation is missing")
	}
	references, err := ParseIndex(data, s.index.part.Offset)
	if err != nil {
		return listing{}, err
	}
	offset := r.period.start - s.offset/s.timescale
	all := make([]raw, 0, len(references))
	written := r.period.start // V3 adds durations up, and looks at no offset
	for _, ref := range references {
		if ref.Nested {
			return listing{}, fail(ReasonIndex, "an index of indexes, which players do not read")
		}
		part := ref.Range
		all = append(all, raw{start: ref.Start + offset, end: ref.End + offset, part: &part, written: written, writtenNext: written + ref.Seconds})
		written += ref.Seconds
	}
	return r.fit(all, dynamic), nil
}

// fit cuts a list to the period, unless that may still grow. Source: shaka-player 4.16.9, SegmentIndex.fit.
func (r *representation) fit(all []raw, dynamic bool) listing {
	if p := r.period; !dynamic || !p.last {
		end := p.end()
		for len(all) > 0 && all[len(all)-1].start >= end {
			all = all[:len(all)-1]
		}
		for len(all) > 0 && all[0].end <= p.start {
			all = all[1:]
		}
		if len(all) > 0 {
			all[len(all)-1].end = end
		}
	}
	return listing{r: r, count: int64(len(all)), walk: func(from int64, f func(raw) error) error {
		for _, w := range all[from:] {
			if err := f(w); err != nil {
				return err
			}
		}
		return nil
	}}
}
