package swarm

import "time"

// offer is a relayed offer that may still be answered.
type offer struct {
	from, to *Peer
	at       time.Time
}

// fifo holds offers in the order in which they were relayed, which is also the order in which they expire.
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

// slots is the size of the wheel, one slot a second; later deadlines stay for another round.
const slots = 256

// wheelSlot is a peer's position in the wheel: the second, from 1, and the index in that slot. Zero means not in the wheel.
type wheelSlot struct {
	second int64
	place  int
}

// wheel finds peers whose deadline has passed. A peer is put in once and moved only when its slot is processed, so an
// announce costs nothing; a deadline that was moved forward in the meantime is noticed late, at most by the length of the
// earlier one.
type wheel struct {
	slot  [slots][]*Peer
	epoch time.Time // seconds count from here, so that setting the clock back does not stop the wheel
	done  int64     // the last second that was processed
}

func (w *wheel) second(t time.Time) int64 { return int64(t.Sub(w.epoch) / time.Second) }

// add puts p into the wheel unless it is there already.
func (w *wheel) add(p *Peer, now time.Time) {
	if w.epoch.IsZero() {
		w.epoch = now
	}
	if p.slotAt.second != 0 {
		return
	}
	at := min(max(w.second(p.deadline)+1, w.done+1), w.done+slots)
	p.slotAt = wheelSlot{at, len(w.slot[at%slots])}
	w.slot[at%slots] = append(w.slot[at%slots], p)
}

// remove takes p out of the wheel if it is there.
func (w *wheel) remove(p *Peer) {
	if p.slotAt.second == 0 {
		return
	}
	slot := w.slot[p.slotAt.second%slots]
	last := len(slot) - 1
	slot[p.slotAt.place] = slot[last]
	slot[p.slotAt.place].slotAt.place = p.slotAt.place
	slot[last] = nil
	w.slot[p.slotAt.second%slots] = slot[:last]
	p.slotAt = wheelSlot{}
}

// advance calls expired for each member whose deadline has passed.
func (w *wheel) advance(now time.Time, expired func(*Peer)) {
	if w.epoch.IsZero() {
		return
	}
	for until := w.second(now); w.done < until; {
		w.done++
		// After the machine was suspended for long, one round covers all slots.
		if until-w.done > slots {
			w.done = until - slots
		}
		due := w.slot[w.done%slots]
		w.slot[w.done%slots] = nil
		for _, p := range due {
			p.slotAt = wheelSlot{}
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
