package tracker

import (
	"sync"
	"time"
)

// farewell is for how long after its last socket was closed a session still counts as connected: a page that is closed
// sends its last report when its socket is gone, and one that reconnects reports meanwhile.
const farewell = 30 * time.Second

// attendance knows which sessions have sockets here. Its size is bounded by the sockets that are open, and by those that
// were closed within the farewell.
type attendance struct {
	most int // sockets of one session

	mu       sync.Mutex
	sessions map[string]*attendee
	// leaving are sessions whose last socket was closed, in that order.
	leaving []departure
}

type attendee struct {
	sockets int
	left    time.Time // when the last one was closed
}

type departure struct {
	session string
	at      time.Time
}

func newAttendance(most int) *attendance {
	return &attendance{most: most, sessions: map[string]*attendee{}}
}

// full reports whether a session has as many sockets as it may have.
func (a *attendance) full(session string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	return s != nil && s.sockets >= a.most
}

// enter counts a socket. It returns false, and counts it all the same, if the session has more than it may have.
func (a *attendance) enter(session string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	s := a.sessions[session]
	if s == nil {
		s = &attendee{}
		a.sessions[session] = s
	}
	s.sockets++
	return s.sockets <= a.most
}

// leave counts a socket that was closed.
func (a *attendance) leave(session string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.forget(now)
	s := a.sessions[session]
	if s == nil { // cannot happen: sockets leave once
		return
	}
	if s.sockets--; s.sockets == 0 {
		s.left = now
		a.leaving = append(a.leaving, departure{session, now})
	}
}

// has reports whether a session has a socket, or had one until a moment ago.
func (a *attendance) has(session string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[session]
	return s != nil && (s.sockets > 0 || now.Sub(s.left) <= farewell)
}

// forget drops sessions whose farewell is over.
func (a *attendance) forget(now time.Time) {
	n := 0
	for ; n < len(a.leaving) && now.Sub(a.leaving[n].at) > farewell; n++ {
		d := a.leaving[n]
		if s := a.sessions[d.session]; s != nil && s.sockets == 0 && s.left.Equal(d.at) {
			delete(a.sessions, d.session)
		}
	}
	if n > 0 {
		a.leaving = append(a.leaving[:0], a.leaving[n:]...)
	}
}
