package history

import "container/heap"

// Memory that parts of a Ring take, in bytes.
const (
	ringBytes = 1024 // without slots and names
	slotBytes = 128
	partBytes = 20
)

// coarsest is how often steps can become twice as long: ten seconds become five minutes, and a minute half an hour.
const coarsest = 5

// Bytes returns about how much memory the history takes.
func (r *Ring) Bytes() int64 {
	return ringBytes + int64(len(r.fine.slots)+len(r.coarse.slots))*slotBytes + int64(r.parts)*partBytes + r.sites.bytes() + r.renditions.bytes()
}

// Step returns the shortest step that samples make now.
func (r *Ring) Step() (milliseconds int64) { return (FineStep << r.level).Milliseconds() }

// Idle reports whether nothing has come for an hour.
func (r *Ring) Idle() bool { return r.last.At.UnixMilli()-r.busy >= Fine.Milliseconds() }

// Thin makes the history smaller: its steps become twice as long, and once they are as long as they may be, it forgets its older
// half. No sum changes by longer steps. It reports whether there was something to give.
func (r *Ring) Thin() bool {
	if r.level < coarsest {
		r.level++
		r.lengthen(&r.coarse, r.longest(CoarseStep))
		r.lengthen(&r.fine, r.longest(FineStep))
		return true
	}
	n := r.fine.count + r.coarse.count
	for range (n + 1) / 2 {
		r.drop()
	}
	if r.fine.count+r.coarse.count == 0 {
		r.sites, r.renditions = newNames(MaxSites), newNames(MaxRenditions)
	}
	return n > 0
}

// Refine makes steps half as long from now on. It reports whether they were longer than they need be.
func (r *Ring) Refine() bool {
	if r.level == 0 {
		return false
	}
	r.level--
	return true
}

// lengthen joins slots of a queue as long as they do not become too long.
func (r *Ring) lengthen(q *queue, longest int64) {
	old := *q
	*q = queue{most: old.most}
	old.each(func(s *slot) {
		r.parts -= len(s.parts)
		if last := q.last(); last != nil && s.to-last.from <= longest {
			r.join(last, s)
			return
		}
		r.push(q, *s)
	})
}

// Shared is a history that shares its memory with others.
type Shared interface {
	// Held returns how many bytes it takes, and whether no viewer has been there for an hour.
	Held() (bytes int64, idle bool)
	Thin() bool
	Refine() bool
}

// idleWeight is how many times larger a history of a stream without viewers counts when one has to give way.
const idleWeight = 16

// Fit makes histories smaller until they take no more than most bytes together: always the largest one, of which those of streams
// without viewers count several times. If they take less than half of it, those that were made coarser become a step finer
// from now on. It returns what they take then, and how many steps were made.
func Fit(all []Shared, most int64) (bytes int64, thinned int) {
	queue := make(byBytes, 0, len(all))
	for _, s := range all {
		c := claim{Shared: s}
		c.look()
		bytes += c.bytes
		queue = append(queue, c)
	}
	if bytes < most/2 {
		for _, s := range all {
			s.Refine()
		}
	}
	if bytes <= most {
		return bytes, 0
	}
	heap.Init(&queue)
	for bytes > most && len(queue) > 0 {
		c := &queue[0]
		bytes -= c.bytes
		gave := c.Thin()
		c.look()
		bytes += c.bytes
		if !gave {
			heap.Pop(&queue)
			continue
		}
		thinned++
		heap.Fix(&queue, 0)
	}
	return bytes, thinned
}

// claim is what a history takes.
type claim struct {
	Shared
	bytes, weight int64
}

func (c *claim) look() {
	var idle bool
	c.bytes, idle = c.Held()
	c.weight = c.bytes
	if idle {
		c.weight *= idleWeight
	}
}

// byBytes is a heap with the largest claim first.
type byBytes []claim

func (q byBytes) Len() int           { return len(q) }
func (q byBytes) Less(i, j int) bool { return q[i].weight > q[j].weight }
func (q byBytes) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byBytes) Push(x any)        { *q = append(*q, x.(claim)) }
func (q *byBytes) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
