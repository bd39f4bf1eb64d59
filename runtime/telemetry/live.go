package telemetry

import "time"

// Live sessions, and what they play, are counted as they report and fall silent, so that reading the counts costs nothing for each
// session. A session waits in the list of the second in which it may fall silent, or no longer play what it played; if it has
// reported meanwhile, it moves on to a later list. So it is touched once in the time that it may be silent, and not with each
// report.

// attendance counts the viewers of a site that are heard.
type attendance struct {
	reporting, telling, alone int
	plays                     map[string]int // by the names of renditions
}

func (n *attendance) add(s *session, by int) {
	n.reporting += by
	if s.is(tells) {
		n.telling += by
	}
	if s.is(alone) {
		n.alone += by
	}
}

func (n *attendance) play(name string, by int) {
	if n.plays == nil {
		n.plays = map[string]int{}
	}
	if n.plays[name] += by; n.plays[name] == 0 {
		delete(n.plays, name)
	}
}

// count takes a session for live that has reported. One that another tracker vouched for counts there.
func (a *Aggregate) count(s *session, at int64) {
	changes := s.until
	if !s.is(vouched) {
		s.set(counted, true)
		s.group.live++
		s.group.peers += int(s.peers)
		if !s.is(seeds) {
			s.site.attendance.add(s, 1)
			changes = min(changes, a.countPlays(s, at))
		}
	}
	if second := secondOf(changes); s.due == 0 || second < s.due { // earlier, if it is asked for more reports than before
		a.due[second], s.due = append(a.due[second], s.id), second
	}
}

// countPlays counts each rendition that a session plays once, and returns when the first of them may end.
func (a *Aggregate) countPlays(s *session, at int64) (changes int64) {
	changes = s.until
	var names [2 * MaxPlayed]string
	n := 0
next:
	for i := range s.played {
		p := &s.played[i]
		if !p.current(s.patience(), at) {
			continue
		}
		name := a.renditionOf(p.key)
		for _, before := range names[:n] {
			if before == name {
				continue next
			}
		}
		names[n], n = name, n+1
		s.plays |= 1 << i
		s.site.attendance.play(name, 1)
		changes = min(changes, p.rose+int64(s.patience()))
	}
	return changes
}

// uncount takes a session out of the counts, before it changes.
func (a *Aggregate) uncount(s *session) {
	if !s.is(counted) {
		return
	}
	s.set(counted, false)
	s.group.live--
	s.group.peers -= int(s.peers)
	if s.is(seeds) {
		return
	}
	s.site.attendance.add(s, -1)
	for i := range s.played {
		if s.plays&(1<<i) != 0 {
			s.site.attendance.play(a.renditionOf(s.played[i].key), -1)
		}
	}
	s.plays = 0
}

// recount counts all sessions anew with other names of renditions.
func (a *Aggregate) recount(names map[string]string) {
	old, s := a.renditions, &a.work
	for id := a.records.recent; id != 0; id = a.records.at(id).older {
		if a.records.at(id).is(counted) {
			a.unpack(s, id)
			a.renditions = old
			a.uncount(s)
			a.renditions = names
			a.count(s, s.last) // what has ended since is in a list that is due
		}
	}
	a.renditions = names
}

// secondOf returns the second of a moment of Aggregate.clock.
func secondOf(at int64) int64 { return at / int64(time.Second) }

// sweep takes out of the counts what is silent now.
func (a *Aggregate) sweep(now time.Time) {
	at, s := a.clock(now), &a.work
	for second, waiting := range a.due {
		if second > secondOf(at) {
			continue
		}
		delete(a.due, second)
		for _, id := range waiting {
			// It may have been forgotten, and its place may be another one's.
			r := a.records.known(id)
			if r == nil || r.due != second {
				continue
			}
			r.due = 0
			a.unpack(s, id)
			a.uncount(s)
			if r.live(at) {
				a.count(s, at)
			}
		}
	}
}

// Reporting returns how many sessions of a stream and role are live, and how many connections they have.
func (a *Aggregate) Reporting(stream string, role Role, now time.Time) (sessions, peers int) {
	a.sweep(now)
	for key, g := range a.groups {
		if key.Stream == stream && key.Role == role {
			sessions, peers = sessions+g.live, peers+g.peers
		}
	}
	return sessions, peers
}

// Evicted returns how many sessions were forgotten.
func (a *Aggregate) Evicted(now time.Time) int64 {
	a.forget(now, a.cfg.MaxSessions)
	return a.evicted
}
