package dash

import "math"

// point is one S element of a SegmentTimeline.
type point struct {
	t, d, r, k float64
	hasT       bool
}

func newPoint(n *node) point {
	var p point
	p.t, p.hasT = n.wholeAttr("t", 0)
	p.d, _ = n.wholeAttr("d", 0)
	p.r, _ = n.wholeAttr("r", math.Inf(-1))
	p.k, _ = n.wholeAttr("k", math.Inf(-1))
	return p
}

// run are segments that follow each other with one duration.
type run struct {
	start, d float64 // in units of the timescale, from the begin of the period
	count    int
	end      float64 // of the last segment in seconds, if cut is set: where the next run begins
	cut      bool
	parts    bool
}

// entry is one segment of a timeline. start and end are in seconds from the begin of the period.
type entry struct {
	start, end, unscaled float64
	position             int
	parts                bool
}

// timeline is a SegmentTimeline as the player reads it.
type timeline struct {
	runs      []run
	timescale float64
	count     int
}

// readTimeline makes the timeline of points. Times are counted in float64, sums included, exactly as the player counts.
// duration is that of the period in seconds, infinite if it is not known. entries is what is left of maxEntries.
// Source: shaka-player 4.16.9, MpdUtils.createTimeline.
func readTimeline(points []point, timescale, offset, duration float64, entries *int) (*timeline, error) {
	line := &timeline{timescale: timescale}
	last := -offset
	for i, p := range points {
		if p.d == 0 {
			continue // a segment without a duration is none
		}
		start := last
		if p.hasT {
			start = p.t - offset
		}
		repeat := p.r
		if repeat < 0 {
			var end float64
			switch {
			case i+1 < len(points) && !points[i+1].hasT:
				return line, nil // nothing says where to stop
			case i+1 < len(points):
				// The player compares with the time as written, without the offset.
				if end = points[i+1].t; start >= end {
					return line, nil
				}
			case math.IsInf(duration, 1) || start/timescale >= duration:
				return line, nil
			default:
				end = duration * timescale
			}
			repeat = math.Ceil((end-start)/p.d) - 1
		}
		if repeat >= float64(*entries) {
			return nil, fail(ReasonTooLarge, "timelines of more than %d segments", maxEntries)
		}
		if len(line.runs) > 0 && start != last {
			line.runs[len(line.runs)-1].end, line.runs[len(line.runs)-1].cut = start/timescale, true
		}
		count := int(repeat) + 1
		if count <= 0 {
			continue
		}
		*entries -= count
		line.runs = append(line.runs, run{start: start, d: p.d, count: count, parts: p.k != 0})
		line.count += count
		for last = start; count > 0; count-- {
			last += p.d
		}
	}
	return line, nil
}

// each calls f for every segment in order, until f returns false. Positions count from 0.
func (l *timeline) each(f func(entry) bool) {
	position := 0
	for _, r := range l.runs {
		start := r.start
		for i := range r.count {
			end := start + r.d
			e := entry{start: start / l.timescale, end: end / l.timescale, unscaled: start, position: position, parts: r.parts}
			if i == r.count-1 && r.cut {
				e.end = r.end
			}
			if !f(e) {
				return
			}
			start = end
			position++
		}
	}
}

// fitting calls f for the entries within a period. periodEnd is infinite if it is not known. The player compares the
// begin within the period with the end of the period on the presentation's timeline, and so does this.
// Source: shaka-player 4.16.9, TimelineSegmentIndex.fitTimeline.
func (l *timeline) fitting(periodEnd float64, f func(entry) bool) {
	l.each(func(e entry) bool {
		return e.start >= periodEnd || e.end <= 0 || f(e)
	})
}
