package sim

import (
	"fmt"
	"strings"
)

// Crossing says why a segment was taken over a site's line: by a newcomer, as part of the backlog, or not; from the origin or
// from a seeder; and what the site had of it.
type Crossing struct {
	Backlog, Origin bool
	Had             Had
}

// Had is what other viewers of a site have of a segment that one of them begins to take over the line.
type Had int

// Nothing; a copy that is on its way over the line; or the segment, at a viewer that still lives.
const (
	HadNone Had = iota
	HadComing
	HadSegment
)

func (h Had) String() string { return [...]string{"first", "again", "held"}[h] }

func (c Crossing) String() string {
	kind, from := "live", "seeder"
	if c.Backlog {
		kind = "backlog"
	}
	if c.Origin {
		from = "origin"
	}
	return fmt.Sprintf("%s/%s/%s", kind, from, c.Had)
}

// Crossings counts segments that began to cross lines after the storm, by what they were.
type Crossings map[Crossing]int

// String lists them in order.
func (c Crossings) String() string {
	var parts []string
	for _, backlog := range []bool{false, true} {
		for _, origin := range []bool{false, true} {
			for had := HadNone; had <= HadSegment; had++ {
				x := Crossing{backlog, origin, had}
				if n := c[x]; n > 0 {
					parts = append(parts, fmt.Sprintf("%s %d", x, n))
				}
			}
		}
	}
	return strings.Join(parts, ", ")
}

// classify counts one segment that begins to cross the line of its viewer's site.
func (w *world) classify(t *transfer) {
	if w.now < w.cfg.Storm {
		return
	}
	x := Crossing{Backlog: w.published(t.segment) < t.to.joined, Origin: t.from == nil}
	for _, q := range t.to.site.viewers {
		switch {
		case q == t.to:
		case q.held[t.segment]:
			x.Had = HadSegment
		case x.Had == HadNone && q.crossing[t.segment]:
			x.Had = HadComing
		}
	}
	w.figures.Crossings[x]++
}
