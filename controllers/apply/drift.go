package apply

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers/diagnose"
)

const (
	// firstPause is how long after the first repair of an object the next one follows at the earliest. Each pause is twice as
	// long as the one before, up to maxPause.
	firstPause = time.Second
	maxPause   = time.Minute
	// contestedAfter so many repairs without a calm time between them, another field manager wants the object to be different.
	contestedAfter = 3
	// calm is how much longer than two pauses an object has to stay as we left it.
	calm = 20 * time.Second
)

// drift is what is remembered of an object that others change.
type drift struct {
	repairs int       // without a calm time between them
	last    time.Time // when the last one was
	due     time.Time // when the next one may be
	problem *diagnose.Problem
}

// repaired records that the object was changed back. With contested, this is one time of many.
func (d *drift) repaired(now time.Time, contested *diagnose.Problem) {
	if d.over(now) {
		*d = drift{}
	}
	d.repairs++
	d.last, d.due = now, now.Add(d.pause())
	if d.repairs >= contestedAfter {
		d.problem = contested
	}
}

func (d *drift) pause() time.Duration {
	if d.repairs > 6 {
		return maxPause
	}
	return min(firstPause<<max(d.repairs-1, 0), maxPause)
}

// over tells whether the object has stayed as it was left for so long that the next change is a new matter.
func (d *drift) over(now time.Time) bool { return !now.Before(d.last.Add(2*d.pause() + calm)) }

// watchDrift reports an object that is contested until it has been calm.
func (p *pass) watchDrift(rec *record) {
	switch {
	case rec.drift.problem == nil:
	case rec.drift.over(p.Now):
		rec.drift = drift{}
	default:
		p.result.Problems = append(p.result.Problems, *rec.drift.problem)
		p.retryAt(rec.drift.last.Add(2*rec.drift.pause() + calm))
	}
}

// changed tells whether an apply made a difference. A status that was written since the cache saw the object is none.
func changed(live client.Object, answer *metav1.PartialObjectMetadata) bool {
	return live == nil || live.GetUID() != answer.UID || (live.GetResourceVersion() != answer.ResourceVersion &&
		(answer.Generation == 0 || live.GetGeneration() != answer.Generation || metadataHash(live) != metadataHash(answer)))
}
