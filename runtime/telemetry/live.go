package telemetry

import "time"

// Live sessions are counted as they report and fall silent, so that reading the counts costs nothing for each session. A session
// that may fall silent waits in the list of the second in which that is; if it has reported meanwhile, it moves on to a later
// list. So it is touched once in the time that it may be silent, and not with each report.

// silentAfter is the last moment at which a session counts as live unless it reports.
func (a *Aggregate) silentAfter(s *session) time.Time {
	return s.last.Add(time.Duration(a.cfg.LiveIntervals) * max(s.interval, a.cfg.Interval))
}

// count takes a session that has just reported for live. One that another tracker vouched for counts there.
func (a *Aggregate) count(s *session) {
	if !s.vouched {
		s.counted = true
		s.group.live++
		s.group.peers += s.peers
	}
	a.queue(s)
}

func (a *Aggregate) queue(s *session) {
	if second := a.silentAfter(s).Unix(); s.due == 0 || second < s.due { // earlier, if it is asked for more reports than before
		a.due[second], s.due = append(a.due[second], s), second
	}
}

// uncount takes a session out of the counts of its group, before either changes.
func (a *Aggregate) uncount(s *session) {
	if s.counted {
		s.counted = false
		s.group.live--
		s.group.peers -= s.peers
	}
}

// sweep takes out of the counts what is silent now.
func (a *Aggregate) sweep(now time.Time) {
	for second, sessions := range a.due {
		if second > now.Unix() {
			continue
		}
		delete(a.due, second)
		for _, s := range sessions {
			if s.gone || s.due != second {
				continue
			}
			s.due = 0
			switch {
			case a.live(s, now):
				a.queue(s)
			default:
				a.uncount(s)
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

func (a *Aggregate) live(s *session, now time.Time) bool { return !now.After(a.silentAfter(s)) }
