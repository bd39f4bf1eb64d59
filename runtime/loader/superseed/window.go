package superseed

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// SetTimes says how long segments are held back from viewers of other sites and from those of the seeder's own.
func (s *State) SetTimes(far, near schedule.SpreadTimes) {
	if far == s.far && near == s.near {
		return
	}
	s.far, s.near = far, near
	for _, g := range s.groups {
		for _, p := range g.spreads {
			s.pend(p)
		}
		s.touchAll(g)
	}
}

// SetWindow says which segments the seeder holds, as media sequences in ascending order; the newest ones count. holds
// tells whether a viewer has one.
func (s *State) SetWindow(held []int64, holds func(m *Member, sequence int64) bool, now time.Time) {
	if n := len(held); n > 0 {
		first, _ := slices.BinarySearch(held, held[n-1]-Window+1)
		held = held[first:]
	}
	if slices.Equal(held, s.order) {
		return
	}
	for _, sequence := range s.order {
		if _, stays := slices.BinarySearch(held, sequence); !stays {
			s.drop(sequence)
		}
	}
	s.order = slices.Clone(held)
	for _, sequence := range held {
		if _, known := s.since[sequence]; known {
			continue
		}
		s.since[sequence] = now
		for _, g := range s.groups {
			s.begin(g, sequence, now)
			for _, m := range g.members {
				s.hold(m, sequence, holds(m, sequence), now)
			}
		}
	}
	for _, g := range s.groups {
		s.touchAll(g)
	}
}

func (s *State) begin(g *group, sequence int64, now time.Time) {
	p := &spread{sequence: sequence, name: sequence, group: g, since: now}
	if s.names != nil {
		p.name = s.names(sequence)
	}
	g.spreads[sequence] = p
	s.stats.Segments++
	s.pend(p)
}

func (s *State) drop(sequence int64) {
	delete(s.since, sequence)
	b := Bit(sequence)
	for _, g := range s.groups {
		if p := g.spreads[sequence]; p != nil {
			p.due = time.Time{}
			delete(g.spreads, sequence)
		}
		for _, m := range g.members {
			m.holds, m.asked, m.told, m.overdue = m.holds&^b, m.asked&^b, m.told&^b, m.overdue&^b
			delete(m.toldAt, sequence)
		}
	}
}
