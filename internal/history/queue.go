package history

// leastSlots is how many slots a queue that is not empty has room for at least.
const leastSlots = 8

// queue holds slots in the order of their time. It takes memory as it fills, up to its bound, and gives it back as it empties.
type queue struct {
	slots []slot // a ring once it is full
	head  int    // of the oldest
	count int
	most  int
}

func (q *queue) full() bool { return q.count == q.most }

func (q *queue) at(i int) *slot { return &q.slots[(q.head+i)%len(q.slots)] }

// first returns the oldest slot, nil if there is none.
func (q *queue) first() *slot {
	if q.count == 0 {
		return nil
	}
	return q.at(0)
}

func (q *queue) last() *slot {
	if q.count == 0 {
		return nil
	}
	return q.at(q.count - 1)
}

// push appends a slot to a queue that is not full.
func (q *queue) push(s slot) {
	if q.count == len(q.slots) {
		q.resize(min(max(leastSlots, 2*q.count), q.most))
	}
	q.count++
	*q.at(q.count - 1) = s
}

// pop removes the oldest slot of a queue that is not empty.
func (q *queue) pop() slot {
	s := q.at(0)
	out := *s
	*s = slot{}
	q.head = (q.head + 1) % len(q.slots)
	q.count--
	switch {
	case q.count == 0:
		q.slots, q.head = nil, 0
	case len(q.slots) > leastSlots && q.count <= len(q.slots)/4:
		q.resize(len(q.slots) / 2)
	}
	return out
}

func (q *queue) resize(n int) {
	slots := make([]slot, n)
	for i := range q.count {
		slots[i] = *q.at(i)
	}
	q.slots, q.head = slots, 0
}

func (q *queue) each(f func(*slot)) {
	for i := range q.count {
		f(q.at(i))
	}
}
