package controllers

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/sizing"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
)

// memory is what is kept of one stream between two runs. The controller never runs one stream twice at a
// time, so it needs no lock.
type memory struct {
	uid types.UID

	claimed  bool   // by this installation, since it started
	yielded  string // the installation that has the stream, when people were told
	request  string // the last value of the annotation that asks for a run
	children apply.Memory
	patience diagnose.Patience // with problems that may heal
	observed exposure.Observed // what the cluster assigned to children, those that were deleted included
	tokenAt  time.Time         // when the token Secret was last seen to be there
	// tokenShared: that was the token for the trackers of a network.
	tokenShared bool

	// planned: this operator has planned the stream before. HeldAs identifies the pods that it would make while it holds those of
	// a former version, and held the workloads as that one applied them.
	planned bool
	heldAs  string
	held    map[plan.Ref]heldWorkload
	viewers *int // when they were last known, for the order of upgrades

	events map[types.UID]*eventMemory // about pods that wait, and about what should make them

	// readAt is when the totals of each tracker pod that is asked were last read to be kept, and answers is the last
	// answer of each.
	readAt    map[types.UID]time.Time
	answers   map[types.UID]poll.Answer
	reading   *status.Reading  // of the tracker that speaks for the stream
	problem   string           // why no tracker answered the last time
	unwritten []totals.Reading // read to be kept, and not in status yet
	audience  *status.Audience // who watched when it was last known
	sizing    sizing.State     // of the seeders that follow the audience

	written written
}

// written is the last status that this operator wrote.
type written struct {
	at      time.Time
	version string
	status  v1.P2PStreamStatus
}

// catchUp gives a stream from the cache the status that this operator wrote last, when the cache has not
// seen it yet.
func (m *memory) catchUp(stream *v1.P2PStream) {
	if m.written.version == "" {
		return
	}
	order, err := resourceversion.CompareResourceVersion(stream.ResourceVersion, m.written.version)
	if err == nil && order < 0 {
		stream.Status = *m.written.status.DeepCopy()
		stream.ResourceVersion = m.written.version
	}
}

// hear forgets back-offs when the annotation asks for a run.
func (m *memory) hear(stream *v1.P2PStream) {
	if request := requestOf(stream); request != stream.Status.LastHandledReconcileAt && request != m.request {
		m.request, m.children, m.events, m.tokenAt = request, apply.Memory{}, nil, time.Time{}
	}
}

// memories of all streams.
type memories struct {
	mu     sync.Mutex
	byName map[types.NamespacedName]*memory
}

// of returns what is remembered of a stream. One of the same name with another uid is another stream.
func (s *memories) of(name types.NamespacedName, uid types.UID) *memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.byName[name]; m != nil && m.uid == uid {
		return m
	}
	if s.byName == nil {
		s.byName = map[types.NamespacedName]*memory{}
	}
	m := &memory{uid: uid, observed: exposure.Observed{}}
	s.byName[name] = m
	return m
}

func (s *memories) forget(name types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, name)
}
