package superseed

import "time"

// A viewer that has a segment, or says so, and gives it to no other one holds up its group: the others get the segment when
// all are told. After two such segments in a row what it holds does not count for a while.
const (
	uselessInARow = 2
	firstIgnored  = time.Minute
	lastIgnored   = 16 * time.Minute // the time doubles
)

// use is whether a viewer gives to others what it has.
type use struct {
	row          int // segments that it gave to none
	times        int // that it was ignored
	ignoredUntil time.Time
}

// ignored tells whether what a viewer holds does not count.
func (m *Member) ignored() bool { return !m.ignoredUntil.IsZero() }

// shares tells whether a viewer has a segment that its group can get from it.
func (m *Member) shares(b uint64) bool { return m.holds&b != 0 && !m.ignored() }

// had notes, when all are told of a segment, which viewers could have given it to the others, and counts again those that were
// ignored for long enough.
func (s *State) had(p *spread, now time.Time) {
	b := Bit(p.sequence)
	for _, m := range p.group.members {
		switch {
		case m.ignored() && !now.Before(m.ignoredUntil):
			m.ignoredUntil, m.row = time.Time{}, uselessInARow-1
			s.each(m, func(p *spread) { s.gained(p, now) })
		case p.shared && p.others >= 1 && m.shares(b):
			p.givers = append(p.givers, m)
		}
	}
}

// weigh notes later whether these gave it to others: they did not if all others lacked it, and one of these then asked this seeder.
// Those that do not ask are getting it from a viewer, which takes a while where many ask that one, or from another seeder.
func (s *State) weigh(p *spread, now time.Time) {
	for _, m := range p.givers {
		switch {
		case m.gone || m.ignored():
		case p.lacked < p.others || p.asks == 0:
			m.row = 0
		default:
			if m.row++; m.row >= uselessInARow {
				s.each(m, s.lost)
				m.ignoredUntil = now.Add(min(lastIgnored, firstIgnored<<min(m.times, 10)))
				m.times++
			}
		}
	}
	p.givers = nil
}

// each calls f for every segment that a viewer holds.
func (s *State) each(m *Member, f func(*spread)) {
	for _, sequence := range s.order {
		if p := m.group.spreads[sequence]; p != nil && m.holds&Bit(sequence) != 0 {
			f(p)
		}
	}
}
