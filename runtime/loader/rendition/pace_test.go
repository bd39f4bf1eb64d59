package rendition

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
)

// counted is a connection that counts what is sent.
type counted struct {
	conn
	bytes, messages int
}

func (c *counted) Send(b []byte) error {
	c.bytes += len(b)
	c.messages++
	return nil
}

// TestChangesAreToldTogether fetches a film of 1,800 segments, fifty each second, while 200 peers are connected.
func TestChangesAreToldTogether(t *testing.T) {
	r := idle(t, 0, 1800)
	peers := make([]*counted, 200)
	for i := range peers {
		peers[i] = &counted{}
		r.opened(session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, peers[i]))
	}
	start := time.Now()
	now := start
	for _, seg := range r.core.Segments() {
		for _, state := range []schedule.State{schedule.Fetching, schedule.Held} {
			seg.State, r.core.Changed = state, true
			r.announce(now)
			now = now.Add(10 * time.Millisecond)
		}
	}
	r.announce(now.Add(longestChange))
	sum := 0
	for _, p := range peers {
		sum += p.bytes
	}
	t.Logf("%d announcements of %d bytes in all within %s", peers[0].messages, sum, now.Sub(start))
	if peers[0].messages > 3600/10 {
		t.Errorf("%d announcements of 3,600 changes", peers[0].messages)
	}
	if most := announceRate * int(now.Sub(start)/time.Second) * 11 / 10; sum > most {
		t.Errorf("%d bytes were announced, want at most %d", sum, most)
	}
	if got := len(r.announcer.last[identity.V23].loaded); got != 1800 {
		t.Errorf("%d segments are announced in the end", got)
	}
}

// TestALateChangeIsTold: the owner is woken for a change that had to wait.
func TestALateChangeIsTold(t *testing.T) {
	p, woken := pace{}, make(chan struct{})
	now := time.Now()
	if p.rests(now, nil) {
		t.Error("the first change waits")
	}
	p.sent([][]byte{make([]byte, announceRate/20)}, now)
	if !p.rests(now, func() { close(woken) }) || !p.rests(now, nil) {
		t.Error("the second change does not wait")
	}
	<-woken
	if p.rests(now.Add(time.Second/20), nil) {
		t.Error("it waits longer than that")
	}
	p.sent([][]byte{make([]byte, 100*announceRate)}, now)
	if p.rests(now.Add(longestChange), nil) {
		t.Error("it waits longer than the longest pause")
	}
}

func TestAFewSegmentsAreToldAtOnce(t *testing.T) {
	r := idle(t, 0, 12)
	c := &counted{}
	r.opened(session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, c))
	now := time.Now()
	for i, seg := range r.core.Segments() {
		seg.State, r.core.Changed = schedule.Held, true
		r.announce(now)
		if c.messages != i+1 {
			t.Fatalf("%d announcements after %d changes", c.messages, i+1)
		}
		now = now.Add(20 * time.Millisecond)
	}
}
