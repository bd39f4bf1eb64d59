package superseed

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// A group whose viewers cannot reach each other, or do not upload, gets nothing from the one that is chosen: every
// segment comes late, when all are told. That shows in a segment that one viewer has had for a while, that most of the
// others lack when all are told, and for which half of these then ask the seeder.
const (
	strikesInARow = 3 // such segments, and the group is off:
	firstOff      = time.Minute
	longestOff    = 16 * time.Minute // the time doubles
	heldPart      = 2                // a target duration divided by this: how long the viewer must have had it
)

// health is whether a group shares what it is given.
type health struct {
	strikes  int
	times    int // that it was off
	offUntil time.Time
}

// lookback is what is remembered of a segment until it is judged.
type lookback struct {
	lacked int       // viewers that lacked it when all were told, and could have had it
	others int       // viewers that could have got it from the first one
	shared bool      // one had it long enough before that
	asks   int       // viewers that asked for it after that
	givers []*Member // that had it long enough before that
}

// look brings a segment from one phase to the next when it is time, and returns when that is; zero: never.
func (s *State) look(p *spread, t schedule.SpreadTimes, now time.Time) time.Time {
	all := p.since.Add(t.All)
	if p.phase == spreading && !now.Before(all) {
		p.phase = opened
		s.opens(p, t, now)
	}
	end := all.Add(t.Target)
	if p.phase == opened && !now.Before(end) {
		p.phase = over
		s.judge(p, now)
	}
	switch p.phase {
	case spreading:
		return all
	case opened:
		return end
	}
	return time.Time{}
}

// opens notes who lacks a segment at the moment at which all are told.
func (s *State) opens(p *spread, t schedule.SpreadTimes, now time.Time) {
	b, lacking := Bit(p.sequence), false
	for _, m := range p.group.members {
		lacking = lacking || m.holds&b == 0
		if m.joined.After(p.since) || m.missed || schedule.Starting(m.joined, t.Target, now) {
			continue
		}
		p.others++
		if m.holds&b == 0 && m.asked&b == 0 {
			p.lacked++
		}
	}
	p.others-- // the first one
	p.shared = p.holders > 0 && now.Sub(p.firstHeld) >= t.Target/heldPart
	if lacking {
		s.stats.Opened++
	}
	s.had(p, now)
}

// judge looks back at a segment one target duration after all were told: a viewer that lacks it still is not chosen until
// it has one that is looked back at later.
func (s *State) judge(p *spread, now time.Time) {
	s.weigh(p, now)
	if p.holders == 0 {
		return // none has it: it says nothing of one of them
	}
	b, better := Bit(p.sequence), false
	for _, m := range p.group.members {
		if m.joined.After(p.since) {
			continue
		}
		missed := m.holds&b == 0
		better = better || (m.missed && !missed)
		m.missed = missed
	}
	if better {
		s.fitter(p.group)
	}
	if !p.shared || p.others < 1 || !s.on(p.group, now) {
		return
	}
	h := &p.group.health
	switch {
	case 2*p.lacked > p.others && 2*p.asks > p.lacked:
		h.strikes++
	case p.lacked == 0:
		h.strikes, h.times = 0, 0
	}
	if h.strikes < strikesInARow {
		return
	}
	h.offUntil = now.Add(min(longestOff, firstOff<<min(h.times, 10)))
	h.times++
	h.strikes = strikesInARow - 1 // one more, and it is off again
	s.stats.GroupOff++
	s.touchAll(p.group)
}
