package sim

import (
	"hash/fnv"
	"time"
)

// transfer is a segment on its way to a viewer. from is nil if it comes from the origin.
type transfer struct {
	segment  int
	from, to *peer
	left     float64 // bytes
	outside  bool    // it crosses the site's line
}

func (w *world) bytesOfSegment() float64 { return w.cfg.Rate / 8 * w.cfg.Segment.Seconds() }

func (w *world) published(segment int) time.Duration {
	return time.Duration(segment-before) * w.cfg.Segment
}

// ask has each viewer begin to take the segments that it does not hold.
func (w *world) ask() {
	for _, at := range w.places {
		for _, p := range at.viewers {
			for p.lacks <= w.newest && p.held[p.lacks] {
				p.lacks++
			}
			for s := p.lacks; s <= w.newest && p.down < downloads; s++ {
				if !p.held[s] && !p.taking[s] {
					w.take(p, s)
				}
			}
		}
	}
}

// take begins one transfer if there is a source: a neighbour, then a seeder that says it has the segment, and the origin when
// the time is up.
func (w *world) take(p *peer, s int) {
	var best *peer
	for _, q := range p.near {
		if q.held[s] && q.up < uploads && (best == nil || q.up < best.up) {
			best = q
		}
	}
	deadline := p.joined + max(firstPatience, time.Duration(s-p.firstSeg)*w.cfg.Segment-window)
	switch {
	case best != nil:
		w.begin(&transfer{segment: s, from: best, to: p, outside: best.site != p.site})
	case p.seeders > 0 && w.offered(p, s):
		w.begin(&transfer{segment: s, from: w.seeders[p.number%len(w.seeders)], to: p, outside: true})
	case w.now >= deadline+window, w.now >= deadline && !fetching(p, s):
		w.begin(&transfer{segment: s, to: p, outside: true})
	}
}

// fetching reports whether a neighbour takes a segment over the line, which it announces: others wait a while for it.
func fetching(p *peer, s int) bool {
	for _, q := range p.near {
		if q.taking[s] && !q.held[s] && q.fromOutside[s] {
			return true
		}
	}
	return false
}

// offered reports whether seeders tell a viewer that they have a segment. Without sites they tell all. Otherwise they tell one
// viewer of a cell, one more each time that Late segments have passed and none that they know holds it, and all after All. What
// a viewer of the cell holds is offered to others only when they had time to meet it.
func (w *world) offered(p *peer, s int) bool {
	if w.cfg.Without {
		return true
	}
	age, late := w.now-w.published(s), time.Duration(w.cfg.Late*float64(w.cfg.Segment))
	all := float64(age) >= w.cfg.All*float64(w.cfg.Segment)
	mine, before := order(p, s), 0
	for _, q := range p.site.viewers {
		switch {
		case q == p || q.seeders == 0 || q.ofCell != p.ofCell:
		case q.held[s]:
			return all && w.now-p.joined > 2*late
		case order(q, s) < mine && w.canRelay(q, s):
			before++
		}
	}
	return all || before <= int(age/late)
}

// canRelay reports whether a viewer may be the chosen one: it plays the segment, and holds another one, so that it is known to
// announce.
func (w *world) canRelay(q *peer, s int) bool { return q.firstSeg <= s && len(q.held) > 0 }

func order(p *peer, s int) uint32 {
	h := fnv.New32a()
	_, _ = h.Write(p.id[:])
	_, _ = h.Write([]byte{byte(s), byte(s >> 8)})
	return h.Sum32()
}

func (w *world) begin(t *transfer) {
	t.left = w.bytesOfSegment()
	t.to.taking[t.segment] = true
	t.to.down++
	if t.from != nil {
		t.from.up++
	}
	if t.outside {
		t.to.site.moving++
		t.to.fromOutside[t.segment] = true
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
		lost := t.to.gone || t.from != nil && t.from.gone
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
	delete(t.to.fromOutside, t.segment)
	t.to.down--
	if t.from != nil {
		t.from.up--
	}
	if t.outside {
		t.to.site.moving--
	}
	if done && !t.to.gone {
		t.to.held[t.segment] = true
		delete(t.to.held, t.segment-10)
		w.arrived(t)
	}
}
