package seeder

import (
	"slices"
	"sync"
	"time"
)

// naming takes the swarm ids that trackers answer reports with. Several trackers see an event begin at different times and
// name it differently until they have heard of each other, so one of them decides: the first in the list that answers.
type naming struct {
	take     func(swarmID string)
	patience time.Duration // a tracker that has not answered for so long does not decide any more

	mu   sync.Mutex
	who  int       // decides
	last time.Time // when it answered; zero: none has
}

// silentReports is how many intervals between reports a tracker may be silent and still decide.
const silentReports = 3

func newNaming(take func(swarmID string), interval time.Duration) *naming {
	return &naming{take: take, patience: silentReports * interval}
}

// answered takes the answer of the tracker with that place in the list.
func (n *naming) answered(place int, swarmID string, now time.Time) {
	if swarmID == "" {
		return // it does not know the stream
	}
	n.mu.Lock()
	decides := n.last.IsZero() || place <= n.who || now.Sub(n.last) > n.patience
	if decides {
		n.who, n.last = place, now
	}
	n.mu.Unlock()
	if decides {
		n.take(swarmID)
	}
}

// answers takes the answers of one of the seeder's trackers.
func (s *Server) answers(tracker string) func(swarmID string) {
	place := slices.Index(s.cfg.Trackers, tracker)
	return func(swarmID string) { s.names.answered(place, swarmID, time.Now()) }
}

// newEvent has the trackers asked which swarms are those of the event that has begun: each looks at the stream again when
// a seeder reports.
func (s *Server) newEvent() {
	for _, r := range s.reporters {
		r.ReportNow()
	}
}
