package swarm

import (
	"math"
	"slices"
	"time"
)

// gateway is what is known of a viewer as a gateway of its cell.
type gateway struct {
	// since is when it became one; zero: it is none.
	since time.Time
	// byAge says that it was chosen because it has been there for long, and not by what it delivered.
	byAge bool
	// lacking is since when it has had no answer of a seeder; zero: it has one.
	lacking time.Time
	// nudged says that it was asked to announce early since then, probed that its socket was probed since it was last heard.
	nudged, probed bool
	// failed is when it was last dismissed because it did not connect, or was silent.
	failed time.Time
}

// Cause is why a viewer that was no gateway becomes one.
type Cause int

// Another gateway left, was silent, did not connect to a seeder, or delivered nothing; or the map of sites allows more; or the
// cell is no longer new.
const (
	CauseLeft Cause = iota
	CauseSilent
	CauseUnconnected
	CauseIdle
	CauseMap
	CauseGrown
	Causes // how many there are
)

// Times of gateways.
const (
	// nudgeAfter is for how long a gateway may be without a seeder before it is asked to announce, with offers of its own,
	// and trialTime before another viewer is tried.
	nudgeAfter = 3 * time.Second
	trialTime  = 10 * time.Second
	// mutedAfter is for how long a successor may leave the offer of a seeder without an answer: clients answer within a second,
	// and one that has gone without closing its socket would hold the place for trialTime.
	mutedAfter = 3 * time.Second
	// forgiveAfter is for how long a viewer that failed as a gateway is chosen only if there is no other.
	forgiveAfter = 5 * time.Minute
	// idleAfter is for how long a gateway that reports may deliver nothing while other members do, and reviewEvery how often
	// one gateway of a cell is replaced for that.
	idleAfter   = 90 * time.Second
	reviewEvery = 30 * time.Second
	// worthReplacing is from how many delivered bytes on, recently, a viewer is preferred to an idle gateway.
	worthReplacing = 256 << 10
)

func (p *Peer) isGateway() bool { return !p.gateway.since.IsZero() }

// appoint makes a member a gateway.
func (c *cell) appoint(s *Swarm, p *Peer, byAge bool) {
	p.gateway.since, p.gateway.byAge = *s.clock, byAge
	p.gateway.lacking, p.gateway.nudged = time.Time{}, false
	c.gateways = append(c.gateways, p)
	s.stats.Gateways.Add(1)
	s.crossing.set(p, p.sock.Place.CrossSite)
	s.note(p)
	s.updateSeederless(p)
}

// dismiss makes a gateway an ordinary member. It keeps the connections that it has.
func (c *cell) dismiss(s *Swarm, p *Peer) {
	p.gateway.since = time.Time{}
	if i := slices.Index(c.gateways, p); i >= 0 {
		c.gateways = slices.Delete(c.gateways, i, i+1)
		s.stats.Gateways.Add(-1)
	}
	s.crossing.remove(p)
	s.note(p)
	s.updateSeederless(p)
}

// fill chooses gateways until there are enough.
func (c *cell) fill(s *Swarm, why Cause) {
	for len(c.gateways) < c.wanted(s) {
		p := c.candidate(s, c.chosenByAge() == 0)
		if p == nil {
			return
		}
		c.appoint(s, p, c.chosenByAge() == 0)
		s.stats.Successors[why].Add(1)
	}
}

// replace has another member take the place of a gateway, if there is one that may be better.
func (c *cell) replace(s *Swarm, p *Peer, why Cause) bool {
	byAge := c.chosenByAge() == asInt(p.gateway.byAge)
	next := c.candidate(s, byAge)
	switch {
	case next == nil || next.silent(*s.clock):
		return false
	case why == CauseUnconnected && next.sullied(*s.clock):
		return false
	}
	c.dismiss(s, p)
	if why != CauseIdle {
		p.gateway.failed = *s.clock
	}
	c.appoint(s, next, byAge)
	s.stats.Successors[why].Add(1)
	return true
}

// chosenByAge counts the gateways that were. There is always one, because what viewers say to have delivered may be invented.
func (c *cell) chosenByAge() (n int) {
	for _, p := range c.gateways {
		n += asInt(p.gateway.byAge)
	}
	return n
}

// candidate returns the member that is to be the next gateway: the one that delivered most lately, or the one that has been
// there for longest. nil: no member may be one.
func (c *cell) candidate(s *Swarm, byAge bool) (best *Peer) {
	now := *s.clock
	var bestRank int
	for _, p := range c.members.peers {
		if p.isGateway() || !p.sock.Place.uploads() {
			continue
		}
		rank := p.rank(now, byAge)
		if best == nil || rank > bestRank || rank == bestRank && p.before(best) {
			best, bestRank = p, rank
		}
	}
	return best
}

// before reports whether p has been there for longer.
func (p *Peer) before(q *Peer) bool {
	return p.joined.Before(q.joined) || p.joined.Equal(q.joined) && p.order < q.order
}

// Ranks of viewers that are chosen only if there are no others.
const (
	ofReserve = -1
	last      = -2
)

// rank compares candidates. What is delivered counts in powers of two, so that age decides among similar ones.
func (p *Peer) rank(now time.Time, byAge bool) int {
	switch d := p.sock.delivered.at(now); {
	case p.silent(now):
		return last
	case p.sullied(now) || p.sock.idle(now):
		return ofReserve
	case byAge || d < 1:
		return 0
	default:
		return 1 + int(math.Log2(d))
	}
}

// sullied reports whether p has failed as a gateway lately, or its introductions fail.
func (p *Peer) sullied(now time.Time) bool {
	return p.doubtful() || !p.gateway.failed.IsZero() && now.Sub(p.gateway.failed) < forgiveAfter
}

// review replaces gateways that are silent, do not connect, or deliver nothing. Core.Tick calls it.
func (c *Core) review(s *Swarm, in *cell, now time.Time) {
	before := len(in.gateways)
	in.fill(s, CauseGrown)
	for _, p := range in.gateways[before:] {
		c.nudge(p) // it is to meet the other gateways
	}
	for i := len(in.gateways) - 1; i >= 0 && i < len(in.gateways); i-- {
		p := in.gateways[i]
		g := &p.gateway
		switch {
		case p.silent(now):
			if !g.probed {
				g.probed = true
				c.out = append(c.out, Delivery{To: p.sock, Probe: true})
			}
			in.replace(s, p, CauseSilent)
		case s.wantsOutside(p) && s.available() && !p.answeredBySeeder():
			c.tryAgain(s, in, p, now)
		default:
			g.lacking, g.nudged, g.probed = time.Time{}, false, false
			if now.Sub(g.since) > idleAfter && p.sock.idle(now) && now.Sub(in.reviewed) > reviewEvery {
				if next := in.candidate(s, false); next != nil && next.sock.delivered.at(now) > worthReplacing && in.replace(s, p, CauseIdle) {
					in.reviewed = now
				}
			}
		}
	}
}

// tryAgain is for a gateway without a seeder although there is one.
func (c *Core) tryAgain(s *Swarm, in *cell, p *Peer, now time.Time) {
	g := &p.gateway
	if g.lacking.IsZero() {
		g.lacking = now
	}
	switch lacking := now.Sub(g.lacking); {
	case lacking >= trialTime || p.mute(now):
		if !in.replace(s, p, CauseUnconnected) {
			g.lacking, g.nudged = now, false // there is no other: it is helped once more
		}
	case lacking >= nudgeAfter && !g.nudged:
		g.nudged = true
		c.nudge(p)
	}
}

// mute reports whether p has left an offer of a seeder unanswered, and has not been heard since.
func (p *Peer) mute(now time.Time) bool {
	for i := range p.relations {
		r := &p.relations[i]
		if r.peer.sock.Seeder && r.pending && !r.mine && now.Sub(r.at) >= mutedAfter && !p.sock.heard.After(r.at) {
			return true
		}
	}
	return false
}

// cutOff reports whether p does not reach the seeders of its site that it was led to.
func (p *Peer) cutOff() (cut bool) {
	for i := range p.relations {
		r := &p.relations[i]
		if !r.linked || !r.peer.sock.Seeder || !p.sock.Place.inside(&r.peer.sock.Place) {
			continue
		}
		if r.again < outOfReach {
			return false
		}
		cut = true
	}
	return cut
}

// answeredBySeeder reports whether p seems to be connected with a seeder.
func (p *Peer) answeredBySeeder() bool {
	for i := range p.relations {
		if r := &p.relations[i]; r.peer.sock.Seeder && r.linked && r.again < outOfReach {
			return true
		}
	}
	return false
}
