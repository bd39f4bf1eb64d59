package rendition

import (
	"math/rand/v2"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
)

// view fetches and requests what a viewer is going to play.
func (r *Rendition) view(now time.Time) {
	cfg := &r.shared.Settings
	v := schedule.View{
		Now: now, Limits: r.limits(), Random: rand.Float64,
		Lottery: func(id int64) float64 { return hashFraction(r.shared.Seed, id) },
	}
	r.elect(&v)
	if r.playhead != nil {
		v.Playhead = r.position(now)
	}
	if !r.alone() {
		v.WaitUntil = r.joinedAt.Add(startupWait(cfg, r.hadNoPeers, r.shared.Peers.reachable(now), r.peersAnnounced()))
		v.PrefetchFrom = r.joinedAt.Add(prefetchFrom(cfg, len(r.sessions) > 0 || !r.electing(), r.census.Peers))
	}
	oldestClaim := session.OldestClaim(now, r.playlist.TargetDuration)
	peers := make(map[*session.Session]int, len(r.sessions))
	for i, s := range r.sessions {
		peers[s] = i
		g, a := s.Generation(), s.Announced()
		_, busy := s.Flight()
		if !s.Usable(now) {
			a = nil
		}
		v.Peers = append(v.Peers, schedule.Peer{
			Seeder: s.Seeder(), Busy: busy, Speed: float64(s.Speed()),
			Holds: func(sequence int64) schedule.Holding {
				return a.Holding(r.segments.externalID(sequence, g), oldestClaim)
			},
		})
	}
	var segs []*segment
	for _, seg := range r.segments.order {
		if r.playhead != nil && seg.state == schedule.Missing && seg.Start+seg.Duration <= v.Playhead {
			continue // played, or before where playback began: in a long playlist most are
		}
		if seg.Gap || (!seg.inPlaylist() && seg.state == schedule.Missing && seg.requests.Len() == 0) {
			continue
		}
		segs = append(segs, seg)
		v.Segments = append(v.Segments, scheduled(seg, peers, now))
	}
	if v.Rank == nil && r.electing() {
		v.Election = r.election(segs, now)
	}
	if cfg.OnDemand {
		v.Needs = r.needs(segs, v.Segments, now)
	}
	v.Room = r.room(segs, now)
	for _, a := range schedule.Viewer(v) {
		seg := segs[a.Segment]
		switch a.Kind {
		case schedule.Abandon:
			r.abandon(seg, now)
		case schedule.Fetch:
			if seg.state == schedule.Missing {
				r.fetch(seg, now)
			}
		case schedule.Request:
			if seg.state != schedule.Missing {
				continue // just abandoned: it is requested when its bytes are here
			}
			r.request(r.sessions[a.Peer], seg, now)
		}
	}
}

// elect makes the viewer one of peers that elect who asks the origin, if those of its first generation do.
func (r *Rendition) elect(v *schedule.View) {
	g := r.shared.Settings.Generations[0]
	own := r.swarms.id.Load()
	if own == nil || !identity.RulesOf(g).Elects {
		return
	}
	var others []string
	for _, s := range r.sessions {
		if s.Generation() == g {
			others = append(others, string(s.ID()))
		}
	}
	v.FetchTime = r.origin.usual
	v.Rank = func(sequence int64) int {
		return schedule.Rank(string(*own), others, r.segments.externalID(sequence, g))
	}
}

// limits are those of a viewer at this moment.
func (r *Rendition) limits() schedule.Limits {
	l := r.shared.Settings.Limits
	if !r.shared.Settings.SeedersHold {
		return l
	}
	for _, s := range r.sessions {
		if s.Origin().Near {
			return l.Relayed(r.playlist.TargetDuration)
		}
	}
	return l
}

// peersAnnounced tells whether a connected peer has announced anything.
func (r *Rendition) peersAnnounced() bool {
	for _, s := range r.sessions {
		if s.Announced() != nil {
			return true
		}
	}
	return false
}

// scheduled is a segment as the scheduler sees it; peers are the indexes of sessions.
func scheduled(seg *segment, peers map[*session.Session]int, now time.Time) schedule.Segment {
	out := schedule.Segment{
		ID: seg.Sequence, Start: seg.Start, Duration: seg.Duration,
		State: seg.state, RetryAt: seg.retryAt, NotFrom: -1, Unproven: seg.unproven,
	}
	if i, ok := peers[seg.notFrom]; ok && seg.notFrom != nil {
		out.NotFrom = i
	}
	if a := seg.arriving.Load(); a != nil && seg.state == schedule.Fetching {
		out.Flight = schedule.Flight{Peer: -1, Since: seg.since, LastBytes: a.at, Received: a.received, Remaining: a.remaining}
	}
	if seg.state == schedule.Requested {
		f, running := seg.from.Flight()
		if !running {
			f.Since = now // it has just ended: what it brought is in the mailbox
		}
		out.Flight = schedule.Flight{
			Peer: peers[seg.from], Since: f.Since, LastBytes: f.LastBytes, Received: f.Received, Remaining: f.Remaining,
		}
	}
	return out
}
