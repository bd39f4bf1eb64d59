package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
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

// electing tells whether viewers choose one of them for each segment: in a swarm without seeders, where all that one fetches can serve
// the others. Where a seeder is, it holds what they need, and a peer's word that something is on its way is not passed on.
func (r *Rendition) electing() bool {
	c := &r.shared.Settings
	return !c.Seeder && !c.OnDemand && r.census.known && r.census.Seeders == 0 &&
		!slices.ContainsFunc(r.sessions, func(s *session.Session) bool { return s.Seeder() })
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
