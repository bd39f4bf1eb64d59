package apply

import (
	"encoding/json"
	"hash/fnv"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// Memory is what earlier applies of one stream's children came to. Losing it costs one apply of each
// object, which changes nothing. The zero value is ready for use, by one goroutine at a time.
type Memory struct {
	objects map[plan.Ref]*record
}

// record is what the last attempt at one object came to.
type record struct {
	hash string // of what was sent

	// The object as the API server answered.
	uid        types.UID
	version    string
	generation int64
	face       uint64

	// The refusal, when there was one, and how it goes on.
	problem  *diagnose.Problem
	failures int
	next     time.Time
}

// settled tells whether the object in the cache is what our last apply made of it, so that applying the
// same again would change nothing.
func (r *record) settled(hash string, live client.Object) bool {
	if r == nil || r.problem != nil || live == nil || r.hash != hash || live.GetUID() != r.uid {
		return false
	}
	if live.GetResourceVersion() == r.version || older(live.GetResourceVersion(), r.version) {
		return true // the cache has not seen more than our own write
	}
	// Controllers write the status of workloads all the time. What people could have changed shows in the
	// generation or in the metadata.
	return r.generation > 0 && live.GetGeneration() == r.generation && face(live) == r.face
}

// seen tells whether the cache has caught up with our last write.
func (r *record) seen(live client.Object) bool {
	return live != nil && live.GetUID() == r.uid && !older(live.GetResourceVersion(), r.version)
}

// older compares resource versions of one object; what cannot be compared is not older.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// face condenses the metadata that an apply may own and that no generation counts.
func face(o client.Object) uint64 {
	raw, err := json.Marshal([]any{o.GetLabels(), o.GetAnnotations(), o.GetOwnerReferences()})
	if err != nil {
		return 0 // cannot happen with strings; then every change of the version applies again
	}
	h := fnv.New64a()
	_, _ = h.Write(raw) // never fails
	return h.Sum64()
}

const (
	firstRetry = 2 * time.Second
	maxRetry   = time.Minute
)

// refused notes a refusal and when to try again: doubling, up to once a minute, so that a stream recovers
// soon after its cause is gone.
func (r *record) refused(hash string, problem diagnose.Problem, now time.Time) {
	if r.hash != hash {
		r.failures = 0
	}
	wait := maxRetry
	if r.failures < 5 {
		wait = firstRetry << r.failures
	}
	r.hash, r.problem, r.next = hash, &problem, now.Add(wait)
	r.failures++
}
