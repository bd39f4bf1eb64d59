package rendition

import "time"

// Each announcement is the full state, so a long list for many peers costs much at each change. Changes that come faster
// than that is worth are told together.
const (
	announceRate  = 512 << 10 // bytes per second, to all peers of a rendition
	longestChange = 500 * time.Millisecond
)

// pace is when the next announcement may be sent. The rendition's owner has it.
type pace struct {
	next  time.Time
	waits bool // the owner is woken then
}

// sent counts one announcement to one peer.
func (p *pace) sent(messages [][]byte, now time.Time) {
	n := 0
	for _, m := range messages {
		n += len(m)
	}
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(n) * time.Second / announceRate)
	if latest := now.Add(longestChange); p.next.After(latest) {
		p.next = latest
	}
}

// rests tells whether a change is not told yet, and has wake called when it is time.
func (p *pace) rests(now time.Time, wake func()) bool {
	left := p.next.Sub(now)
	if left <= 0 {
		p.waits = false
		return false
	}
	if !p.waits {
		p.waits = true
		time.AfterFunc(left, wake)
	}
	return true
}
