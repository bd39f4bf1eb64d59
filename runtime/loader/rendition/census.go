package rendition

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// census is how many others take part in the swarm of the first generation. The rendition's owner has it.
type census struct {
	mesh.Census
	known bool // a tracker has said so
}

// counted takes what a tracker says of a swarm that was joined in a term.
func (r *Rendition) counted(c mesh.Census, term int64) {
	if term == r.swarms.term.Load() {
		r.census = census{c, true}
	}
}

// election is what schedule.Viewer needs to know to choose one viewer of many for a segment.
func (r *Rendition) election(segs []*segment, now time.Time) *schedule.Election {
	return &schedule.Election{Others: r.census.Peers, Since: func(i int, claimed bool) time.Time {
		seg := segs[i]
		switch {
		case claimed:
			seg.unclaimedAt = time.Time{}
		case seg.unclaimedAt.IsZero():
			seg.unclaimedAt = now
		}
		return seg.unclaimedAt
	}}
}
