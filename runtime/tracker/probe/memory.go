package probe

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
)

// differenceKept is how long a difference counts after it was seen last: ads of a viewer's own come and go.
const differenceKept = time.Hour

// maxKept bounds the differences that are remembered; one suffices for a verdict.
const maxKept = 16

// memory is what earlier looks found.
type memory struct {
	differences []seen
	alike       []manifest.Likeness
}

type seen struct {
	manifest.Difference
	at time.Time
}

// keep adds to the evidence of one look what earlier ones found, and remembers what this one did.
func (m *memory) keep(e *manifest.Evidence, now time.Time) {
	m.differences = slices.DeleteFunc(m.differences, func(s seen) bool {
		return now.Sub(s.at) >= differenceKept || slices.Contains(e.Differences, s.Difference)
	})
	for _, s := range m.differences {
		e.Differences = append(e.Differences, s.Difference)
	}
	for _, d := range e.Differences[:len(e.Differences)-len(m.differences)] {
		m.differences = append(m.differences, seen{d, now})
	}
	m.differences = m.differences[max(0, len(m.differences)-maxKept):]
	// What could not be compared this time is as it was.
	for _, old := range m.alike {
		if !slices.ContainsFunc(e.Alike, func(l manifest.Likeness) bool { return l.First == old.First && l.Second == old.Second }) {
			e.Alike = append(e.Alike, old)
		}
	}
	m.alike = slices.Clone(e.Alike[:min(len(e.Alike), maxPairs)])
}
