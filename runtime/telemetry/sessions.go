package telemetry

import "time"

// forget drops sessions that have expired, and then the longest silent ones until no more than keep remain.
func (a *Aggregate) forget(now time.Time, keep int) {
	for s := a.silent; s != nil && (now.Sub(s.last) > a.cfg.Lifetime || len(a.sessions) > keep); s = a.silent {
		if s.began.After(a.evictedUpTo) {
			a.evictedUpTo = s.began
		}
		a.uncount(s)
		s.gone = true
		a.unlink(s)
		delete(a.sessions, s.key)
		delete(a.seeders, s)
		delete(a.owing, s)
		a.evicted++
	}
}

func (a *Aggregate) link(s *session) {
	s.older, s.younger = a.recent, nil
	if a.recent != nil {
		a.recent.younger = s
	} else {
		a.silent = s
	}
	a.recent = s
}

func (a *Aggregate) unlink(s *session) {
	if s.older != nil {
		s.older.younger = s.younger
	} else {
		a.silent = s.younger
	}
	if s.younger != nil {
		s.younger.older = s.older
	} else {
		a.recent = s.older
	}
	s.older, s.younger = nil, nil
}
