package schedule

import "time"

// This file decides when a viewer fetches a segment that no peer holds or is getting. Any viewer of the swarm may do so, and
// one is to. They do not know all others, only how many there are. So each draws a number for each segment (rendezvous
// hashing): of n viewers, one that draws u expects n·(1−u) viewers before it, and waits one step for each. About one has its
// turn in each step, whatever n is, and announces at once that it is getting the segment. The others wait for that one, and
// begin anew when no peer announces the segment any more.

const (
	electStep  = time.Second // between the turns of two viewers, at most: by then most have heard of the first one
	electSteps = 12          // that fit into the time until the segment is urgent, at least: then it is rare that all ask
)

// Election is what a viewer knows of the others of its swarm.
type Election struct {
	Others int // members of the swarm, without this one
	// Since notes whether a peer holds a segment, an index into View.Segments, or is getting it. It returns since when none
	// does.
	Since func(i int, claimed bool) time.Time
}

// chosen tells whether it is this viewer's turn to fetch a segment that no peer has. A viewer without peers does not wait.
func (p *planner) chosen(i int, s *Segment, lead time.Duration) bool {
	if len(p.Peers) == 0 || lead > p.Limits.HTTPAhead {
		return lead <= p.Limits.HTTPAhead
	}
	waited := max(p.Now.Sub(p.Election.Since(i, false)), 0)
	step := min(electStep, (lead+waited-p.Limits.Urgent)/electSteps)
	others := max(p.Election.Others, len(p.Peers))
	before := float64(others+1) * (1 - p.Lottery(s.ID))
	return float64(waited) >= before*float64(step)
}
