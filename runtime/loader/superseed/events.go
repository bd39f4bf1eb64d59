package superseed

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Join adds a viewer that has just connected.
func (s *State) Join(name Group, p Peer, now time.Time) *Member {
	g := s.groups[name]
	if g == nil {
		g = &group{name: name, spreads: make(map[int64]*spread), far: !name.Near}
		s.groups[name] = g
		for _, sequence := range s.order {
			s.begin(g, sequence, now)
		}
	}
	m := &Member{
		peer: p, seed: schedule.SpreadSeed(p.ID), group: g, joined: now, last: now, toldAt: make(map[int64]time.Time),
	}
	g.members = append(g.members, m)
	s.touch(m)
	return m
}

// Change notes that something else is known of a viewer than when it joined, and returns it: one in another group is a new
// member. It is no newcomer there.
func (s *State) Change(m *Member, name Group, p Peer, now time.Time) *Member {
	if m.group.name == name {
		if m.peer != p {
			m.peer = p
			s.fitter(m.group)
		}
		return m
	}
	s.Leave(m)
	moved := s.Join(name, p, now)
	moved.joined, moved.last, moved.begun, moved.playing, moved.usual = m.joined, m.last, m.begun, m.playing, m.usual
	return moved
}

// Leave removes a viewer whose connection has ended: what it was to bring, another one brings.
func (s *State) Leave(m *Member) {
	g := m.group
	g.members = slices.DeleteFunc(g.members, func(other *Member) bool { return other == m })
	m.due, m.gone = time.Time{}, true
	s.stats.HeldBack -= ones(m.withheld)
	m.withheld = 0
	for _, sequence := range s.order {
		p, b := g.spreads[sequence], Bit(sequence)
		if p == nil {
			continue
		}
		if m.shares(b) {
			s.lost(p)
		}
		if m.told&b != 0 && p.holders == 0 {
			s.pend(p)
		}
	}
	if len(g.members) > 0 {
		return
	}
	for name, other := range s.groups {
		if other == g {
			delete(s.groups, name)
		}
	}
	for _, p := range g.spreads {
		p.due = time.Time{}
	}
	g.spreads = nil
}

// Heard takes what a viewer announces: holds tells whether it has a segment of the window.
func (s *State) Heard(m *Member, holds func(sequence int64) bool, now time.Time) {
	was := m.holds
	for _, sequence := range s.order {
		s.hold(m, sequence, holds(sequence), now)
	}
	if was == 0 && ones(m.holds) >= playingHolds {
		m.playing = true
		s.touch(m)
	}
	if was == 0 && m.holds != 0 {
		s.fitter(m.group) // it may be chosen now
	}
}

// playingHolds is how many segments of the window a viewer holds, when it first says so, that has been playing: a viewer that
// starts has one or two by then. The successor of a gateway had its segments from other viewers, and has them for what follows.
const playingHolds = 3

// Began notes that a viewer has segments, in the window or before it.
func (s *State) Began(m *Member) {
	if !m.begun {
		m.begun = true
		s.touch(m)
	}
}

// hold notes whether a viewer has a segment.
func (s *State) hold(m *Member, sequence int64, has bool, now time.Time) {
	b := Bit(sequence)
	if has == (m.holds&b != 0) {
		return
	}
	m.holds ^= b
	p := m.group.spreads[sequence]
	if has {
		m.last, m.begun = now, true
		if p != nil {
			m.took(p, now)
			if !m.ignored() {
				s.gained(p, now)
			}
		}
	} else if p != nil && !m.ignored() {
		s.lost(p)
	}
	s.touch(m)
}

// took notes how long it took until a viewer had a segment. When it asked does not count: it asks one seeder, and the others must
// not take it to be late meanwhile.
func (m *Member) took(p *spread, now time.Time) {
	took := now.Sub(p.since)
	switch {
	case m.joined.After(p.since): // of the backlog
	case m.usual == 0, took < m.usual:
		m.usual = took
	default:
		m.usual += (took - m.usual) / usualPart
	}
}

// usualPart is how slowly what is usual grows: a segment that came from a viewer took longer than it would have otherwise.
const usualPart = 4

func (s *State) gained(p *spread, now time.Time) {
	if p.holders++; p.holders > 1 {
		return
	}
	if p.firstHeld.IsZero() {
		p.firstHeld = now
	}
	for _, m := range p.group.members {
		if m.told&Bit(p.sequence) != 0 {
			s.touch(m) // those that have not asked yet get it from the group
		}
	}
	s.pend(p)
}

func (s *State) lost(p *spread) {
	if p.holders--; p.holders == 0 {
		s.pend(p)
		for _, m := range p.group.members {
			if m.told&Bit(p.sequence) != 0 {
				s.touch(m)
			}
		}
	}
}

// fitter has the segments decided anew for which no viewer could be chosen.
func (s *State) fitter(g *group) {
	for _, sequence := range s.order { // in order, so that a run can be repeated
		if p := g.spreads[sequence]; p != nil && p.open {
			s.pend(p)
		}
	}
}

// Asked notes that a viewer asked the seeder for a segment.
func (s *State) Asked(m *Member, sequence int64, now time.Time) {
	m.last, m.begun = now, true
	s.touch(m)
	p := m.group.spreads[sequence]
	if b := Bit(sequence); p != nil && m.asked&b == 0 {
		m.asked |= b
		if p.phase == opened {
			p.asks++
		}
		s.pend(p)
	}
}
