package superseed

import (
	"container/heap"
	"time"
)

// timer says when a segment or a viewer has to be looked at. It is valid while the due time of that is its own: what was
// set anew leaves an invalid timer behind, which ends at its time.
type timer struct {
	at     time.Time
	spread *spread
	member *Member
}

func (t timer) valid() bool {
	if t.spread != nil {
		return t.spread.due.Equal(t.at)
	}
	return t.member.due.Equal(t.at)
}

// timers is a heap, the earliest first.
type timers []timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for package heap.
func (h *timers) Push(x any) { *h = append(*h, x.(timer)) } // only set gives it one

// Pop is for package heap.
func (h *timers) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = timer{}
	*h = (*h)[:last]
	return t
}

func (s *State) setSpread(p *spread, at time.Time) {
	if at.IsZero() || p.due.Equal(at) {
		p.due = at
		return
	}
	p.due = at
	heap.Push(&s.due, timer{at: at, spread: p})
}

func (s *State) setMember(m *Member, at time.Time) {
	if at.IsZero() || m.due.Equal(at) {
		m.due = at
		return
	}
	m.due = at
	heap.Push(&s.due, timer{at: at, member: m})
}

// Next is when Settle has something to do; zero: only after an event.
func (s *State) Next() time.Time {
	for len(s.due) > 0 && !s.due[0].valid() {
		heap.Pop(&s.due)
	}
	if len(s.due) == 0 {
		return time.Time{}
	}
	return s.due[0].at
}

// elapsed takes the timers that have ended.
func (s *State) elapsed(now time.Time) {
	for len(s.due) > 0 && !s.due[0].at.After(now) {
		t := heap.Pop(&s.due).(timer) // it holds nothing else
		switch {
		case !t.valid():
		case t.spread != nil:
			t.spread.due = time.Time{}
			s.pend(t.spread)
		default:
			t.member.due = time.Time{}
			s.touch(t.member)
		}
	}
}
