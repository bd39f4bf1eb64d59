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

// Memory holds the results of earlier applies of one stream's children. Losing it costs one apply of each
// object, which changes nothing. The zero value is ready for use, by one goroutine at a time.
type Memory struct {
	objects map[plan.Ref]*record
}

// record is the result of the last attempt to apply one object.
type record struct {
	hash string // of what was sent

	// The object as the API server answered.
	uid          types.UID
	version      string
	generation   int64
	metadataHash uint64

	// The last refusal, how many there were in a row, and when the next attempt is due.
	problem  *diagnose.Problem
	failures int
	next     time.Time

	drift drift
}

// sentBefore tells whether the last apply succeeded and sent the same: another one repairs what another client changed.
func (r *record) sentBefore(hash string) bool {
	return r != nil && r.problem == nil && r.hash == hash
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
	// Controllers write the status of workloads all the time. A change that matters shows in the generation or
	// in the metadata.
	return r.generation > 0 && live.GetGeneration() == r.generation && metadataHash(live) == r.metadataHash
}

// seen tells whether the cache has caught up with our last write.
func (r *record) seen(live client.Object) bool {
	return live != nil && live.GetUID() == r.uid && !older(live.GetResourceVersion(), r.version)
}

// older compares resource versions of one object; versions that cannot be compared are not older.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

// metadataHash is a hash of the metadata that an apply may own and whose changes do not raise the generation.
func metadataHash(o client.Object) uint64 {
	raw, err := json.Marshal([]any{o.GetLabels(), o.GetAnnotations(), o.GetOwnerReferences()})
	if err != nil {
		return 0 // cannot happen with strings; it would only cost an apply at each change of the version
	}
	h := fnv.New64a()
	_, _ = h.Write(raw) // never fails
	return h.Sum64()
}

const (
	firstRetry = 2 * time.Second
	maxRetry   = time.Minute
)

// refused records a refusal and when to try again. The wait doubles up to a minute, so that a stream recovers
// soon after the cause of the refusal is gone.
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
