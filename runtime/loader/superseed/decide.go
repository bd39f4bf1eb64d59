package superseed

import (
	"math/bits"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

func ones(set uint64) int { return bits.OnesCount64(set) }

// Settle decides what is due at now, and what follows from events.
func (s *State) Settle(now time.Time) {
	s.elapsed(now)
	for len(s.pending) > 0 {
		work := s.pending
		s.pending = nil
		for _, p := range work {
			p.pending = false
			if p.group.spreads[p.sequence] == p {
				s.decide(p, now)
			}
		}
	}
}

// decide applies the rules to one segment in one group.
func (s *State) decide(p *spread, now time.Time) {
	g, t, b := p.group, s.times(p.group), Bit(p.sequence)
	if !t.On() {
		s.setSpread(p, time.Time{})
		return
	}
	next := s.look(p, t, now)
	s.sharers = s.sharers[:0]
	for _, m := range g.members {
		s.sharers = append(s.sharers, schedule.Sharer{
			Fit: m.fit(), Tier: m.tier(t.Late), Rank: schedule.SpreadRank(m.seed, p.name), Since: m.joined,
			Holds: m.shares(b), Asked: m.asked&b != 0, Told: m.toldAt[p.sequence],
			Usual: m.usual,
		})
	}
	plan := schedule.Spread(schedule.SpreadView{Now: now, Since: p.since, Times: t, Sharers: s.sharers})
	if plan.Tell >= 0 {
		m := g.members[plan.Tell]
		m.told |= b
		m.toldAt[p.sequence] = now
		s.touch(m)
		s.stats.Told++
		if plan.Late {
			s.stats.Late++
		}
	}
	if plan.Open != p.open {
		p.open = plan.Open
		if p.open {
			s.stats.Unchosen++
		}
		s.touchAll(g)
	}
	for _, m := range g.members {
		if (m.holds|m.overdue)&b == 0 && !now.Before(schedule.SpreadOverdue(p.since, m.joined, t)) {
			m.overdue |= b
			s.touch(m)
		}
	}
	if next.IsZero() || (!plan.Next.IsZero() && plan.Next.Before(next)) {
		next = plan.Next
	}
	s.setSpread(p, next)
}

// fit tells whether a viewer may be chosen: it shows what it holds, may be asked by others, and keeps up.
func (m *Member) fit() bool { return m.holds != 0 && !m.peer.ReceiveOnly && !m.missed && !m.ignored() }

// tier sorts viewers: those of a lower tier are chosen first. Among equals those come last that usually have a segment only when
// the next one would be told: mostly because their playlists name it late.
func (m *Member) tier(late time.Duration) (tier int) {
	switch {
	case m.peer.Seeder:
	case m.peer.Gateway:
		tier = 2
	default:
		tier = 4
	}
	if m.usual > late {
		tier++
	}
	return tier
}

// Withheld is the set of segments that are held back from a viewer at now, see Bit. It sets the time at which that
// changes by itself, so it is to be called for every viewer that Changed returns.
func (s *State) Withheld(m *Member, now time.Time) uint64 {
	set := s.withheld(m, now)
	s.stats.HeldBack += ones(set) - ones(m.withheld)
	m.withheld = set
	return set
}

func (s *State) withheld(m *Member, now time.Time) uint64 {
	g, t := m.group, s.times(m.group)
	if m.gone || !t.On() {
		return 0
	}
	if !s.on(g, now) {
		s.setMember(m, g.offUntil)
		return 0
	}
	var offer schedule.StartOffer
	if !m.playing {
		offer = schedule.Start(schedule.Starter{
			Joined: m.joined, Last: m.last, Begun: m.begun, Mates: g.holdsAny(m), Target: t.Target,
		}, now)
	}
	due := offer.Then
	if at := m.joined.Add(t.All); at.After(now) && (due.IsZero() || at.Before(due)) {
		due = at
	}
	s.setMember(m, due)
	if offer.All {
		return 0
	}
	starting := !m.playing && schedule.Starting(m.joined, t.Target, now)
	var set uint64
	next, from := offer.Next, false
	for _, sequence := range s.order {
		b := Bit(sequence)
		from = from || (m.holds|m.asked)&b != 0 || (m.holds|m.asked) == 0
		if m.holds&b != 0 {
			continue
		}
		first := next && from
		if first {
			next = false
		}
		p := g.spreads[sequence]
		switch {
		case p == nil, first, m.asked&b != 0:
		case p.open && !starting, m.told&b != 0 && p.holders == 0:
		case !now.Before(schedule.SpreadOverdue(p.since, m.joined, t)):
		default:
			set |= b
		}
	}
	return set
}

// holdsAny tells whether another viewer holds segments.
func (g *group) holdsAny(m *Member) bool {
	for _, other := range g.members {
		if other != m && other.holds != 0 && !other.ignored() {
			return true
		}
	}
	return false
}

// Holds is the set of segments that a viewer has: to hold those back from it, or not, is the same.
func (m *Member) Holds() uint64 { return m.holds }
