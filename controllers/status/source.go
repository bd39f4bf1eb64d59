package status

import (
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
)

// peerable is the tracker's judgement of the manifest. What it said stays while it cannot be asked: a source
// does not change its kind because a tracker restarts.
func peerable(m *moment) verdict {
	pending := unknown(v1.ReasonPending, "The tracker has not read the manifest yet")
	if m.before.ObservedGeneration == m.Generation || m.ReadingPending {
		pending = m.keep(v1.ConditionPeerable, pending)
	}
	r := m.fresh()
	if r == nil {
		return pending
	}
	problem := diagnose.Clean(r.Stats.SourceProblem)
	text := diagnose.Clean(r.Stats.Message)
	switch {
	case r.Stats.Peerable == nil && problem != "":
		return unknown(v1.ReasonSourceUnreachable, "The tracker cannot read the manifest: "+problem+". Check spec.source")
	case r.Stats.Peerable == nil:
		return pending
	case !*r.Stats.Peerable:
		return no(r.Stats.Reason, text)
	case problem == "" && text != "":
		return yes(v1.ReasonShareable, "Segments can be shared. Note "+text)
	case problem != "":
		return yes(v1.ReasonShareable, "Segments can be shared; the manifest cannot be read at the moment: "+problem)
	}
	return yes(v1.ReasonShareable, "Segments can be shared")
}

const (
	// staleAfter is how old an answer may be and still count as the present: six polls.
	staleAfter = 30 * time.Second
)

// fresh is the last answer of the tracker, if it speaks of the present.
func (m *moment) fresh() *Reading {
	if m.Reading == nil || m.now.Sub(m.Reading.At) > staleAfter {
		return nil
	}
	return m.Reading
}
