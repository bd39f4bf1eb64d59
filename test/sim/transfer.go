package sim

import "time"

// transfer is a segment on its way to a viewer. from is nil if it comes from the origin.
type transfer struct {
	segment  int
	from, to *peer
	left     float64 // bytes
	outside  bool    // it crosses the site's line
	dropped  bool    // the viewer does not want it any more
}

func (w *world) bytesOfSegment() float64 { return w.cfg.Rate / 8 * w.cfg.Segment.Seconds() }

func (w *world) published(segment int) time.Duration {
	return time.Duration(segment-before) * w.cfg.Segment
}

// ask has each viewer play, and begin to take the segments that it does not hold.
func (w *world) ask() {
	for _, at := range w.places {
		for _, p := range at.viewers {
			w.play(p)
			for p.lacks <= p.player.sees && p.held[p.lacks] {
				p.lacks++
			}
			for s := p.lacks; s <= p.player.sees && p.down < downloads; s++ {
				if !p.held[s] && !p.taking[s] {
					w.take(p, s)
				}
			}
		}
	}
}

// take begins one transfer if there is a source: any of the neighbours and seeders that offer the segment, at random as browsers
// choose, and the origin when there are none and the time is up.
func (w *world) take(p *peer, s int) {
	var from *peer
	n := 0
	consider := func(q *peer) {
		if n++; w.rnd.IntN(n) == 0 {
			from = q
		}
	}
	for _, q := range p.near {
		if q.held[s] && q.up < uploads {
			consider(q)
		}
	}
	for _, q := range p.sources {
		if q.offers(p, s) {
			consider(q)
		}
	}
	switch {
	case from == nil && w.urgent(p, s):
		w.begin(&transfer{segment: s, to: p, outside: true})
	case from == nil:
	case from.site == nil:
		w.asked(p, from, s)
		w.begin(&transfer{segment: s, from: from, to: p, outside: true})
	default:
		w.begin(&transfer{segment: s, from: from, to: p, outside: from.site != p.site})
	}
}

func (w *world) begin(t *transfer) {
	t.left = w.bytesOfSegment()
	t.to.taking[t.segment] = true
	t.to.down++
	if t.from != nil {
		t.from.up++
	}
	if t.outside {
		w.classify(t)
		t.to.crossing[t.segment] = true
		t.to.site.moving++
	}
	w.moving = append(w.moving, t)
}

// move lets the bytes of one step flow. A viewer's uplink and a site's line are shared evenly.
func (w *world) move() {
	keep := w.moving[:0]
	for _, t := range w.moving {
		at := t.to.site
		rate := w.cfg.Uplink
		if t.from != nil && t.from.site != nil {
			rate /= float64(t.from.up)
		}
		if t.outside {
			rate = min(rate, at.line/float64(at.moving))
		}
		bytes := min(t.left, rate/8*step.Seconds())
		t.left -= bytes
		lost := t.dropped || t.to.gone || t.from != nil && t.from.gone
		if t.outside {
			w.cross(t, bytes)
		}
		if t.left > 0 && !lost {
			keep = append(keep, t)
			continue
		}
		w.finish(t, !lost)
	}
	w.moving = keep
}

func (w *world) finish(t *transfer, done bool) {
	delete(t.to.taking, t.segment)
	t.to.down--
	if t.from != nil {
		t.from.up--
		if done {
			t.from.delivered += int64(w.bytesOfSegment())
		}
	}
	if t.outside {
		delete(t.to.crossing, t.segment)
		t.to.site.moving--
	}
	if done && !t.to.gone {
		t.to.held[t.segment] = true
		delete(t.to.held, t.segment-entries)
		w.arrived(t)
		w.announced(t.to)
	}
}
