package swarm

import "time"

// offer is one that was passed on and may be answered.
type offer struct {
	from, to *Peer
	at       time.Time
}

// fifo holds offers in the order they were passed on, which is also the order in which they lapse.
type fifo struct {
	items []offer
	head  int
}

func (f *fifo) push(o offer) { f.items = append(f.items, o) }

func (f *fifo) len() int { return len(f.items) - f.head }

// due takes the oldest offer if it is from before the given time.
func (f *fifo) due(before time.Time) (offer, bool) {
	if f.head == len(f.items) || !f.items[f.head].at.Before(before) {
		return offer{}, false
	}
	o := f.items[f.head]
	f.items[f.head] = offer{}
	f.head++
	switch {
	case f.head == len(f.items):
		f.items, f.head = f.items[:0], 0
		if cap(f.items) > 4096 {
			f.items = nil
		}
	case f.head >= 1024 && f.head > len(f.items)/2:
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	return o, true
}

// slots of a second each; later deadlines go round again.
const slots = 256

// turn is where a peer stands in the wheel: the second, from 1, and the place in its slot. The zero turn is nowhere.
type turn struct {
	second int64
	place  int
}

// wheel finds peers whose deadline has passed. A peer is put in once and moved only when its turn comes, so an
// announce costs nothing; a deadline that was brought forward in the meantime is noticed late, at most by the
// length of the former one.
type wheel struct {
	slot  [slots][]*Peer
	epoch time.Time // seconds count from here, so that a clock that is set back stops nothing
	done  int64     // the last second that was looked at
}

func (w *wheel) second(t time.Time) int64 { return int64(t.Sub(w.epoch) / time.Second) }

// add puts p in, if it is not.
func (w *wheel) add(p *Peer, now time.Time) {
	if w.epoch.IsZero() {
		w.epoch = now
	}
	if p.turn.second != 0 {
		return
	}
	at := min(max(w.second(p.deadline)+1, w.done+1), w.done+slots)
	p.turn = turn{at, len(w.slot[at%slots])}
	w.slot[at%slots] = append(w.slot[at%slots], p)
}

// remove takes p out, if it is in.
func (w *wheel) remove(p *Peer) {
	if p.turn.second == 0 {
		return
	}
	slot := w.slot[p.turn.second%slots]
	last := len(slot) - 1
	slot[p.turn.place] = slot[last]
	slot[p.turn.place].turn.place = p.turn.place
	slot[last] = nil
	w.slot[p.turn.second%slots] = slot[:last]
	p.turn = turn{}
}

// advance calls expired for each member whose deadline has passed.
func (w *wheel) advance(now time.Time, expired func(*Peer)) {
	if w.epoch.IsZero() {
		return
	}
	for until := w.second(now); w.done < until; {
		w.done++
		// After a long sleep of the machine one round sees everybody.
		if until-w.done > slots {
			w.done = until - slots
		}
		due := w.slot[w.done%slots]
		w.slot[w.done%slots] = nil
		for _, p := range due {
			p.turn = turn{}
		}
		for _, p := range due {
			switch {
			case p.swarm == nil:
			case now.After(p.deadline):
				expired(p)
			default:
				w.add(p, now)
			}
		}
	}
}
