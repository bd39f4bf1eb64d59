package onecopy

import (
	"cmp"
	"container/heap"
	"time"
)

// clock runs what is due, in order.
type clock struct {
	now  time.Time
	last int
	due  agenda
}

type entry struct {
	at    time.Time
	place int // among those that are due at the same time
	do    func()
}

// after has something done later.
func (c *clock) after(d time.Duration, do func()) {
	c.last++
	heap.Push(&c.due, entry{c.now.Add(d), c.last, do})
}

// run goes on until a time.
func (c *clock) run(until time.Time) {
	for len(c.due) > 0 && c.due[0].at.Before(until) {
		e := heap.Pop(&c.due).(entry)
		c.now = e.at
		e.do()
	}
	c.now = until
}

// agenda is a heap.
type agenda []entry

func (a agenda) Len() int      { return len(a) }
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a agenda) Less(i, j int) bool {
	return cmp.Or(a[i].at.Compare(a[j].at), cmp.Compare(a[i].place, a[j].place)) < 0
}

// Push appends an entry, for package heap.
func (a *agenda) Push(x any) { *a = append(*a, x.(entry)) }

// Pop removes the last entry, for package heap.
func (a *agenda) Pop() any {
	old := *a
	last := old[len(old)-1]
	*a = old[:len(old)-1]
	return last
}
