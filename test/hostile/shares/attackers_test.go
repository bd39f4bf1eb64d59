package shares

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// target is what attackers know.
type target struct {
	Listen string // of the tracker
	// Own are info hashes of the flooded stream, Foreign those of the calm one.
	Own, Foreign []signaling.ID
}

// flood is all attackers of a stream.
type flood struct {
	target
	sessions [attackers / attackersPerSession]session

	// begun is closed when those who have come may do more than that.
	begun  chan struct{}
	ctx    context.Context
	cancel func()
	all    sync.WaitGroup
}

// pause is the time between two bursts of an attacker, and burst how many messages each has: what all send together is more than the
// rest of this machine costs, and leaves a slow one enough for the audience.
const (
	pause = 2 * time.Second
	burst = 4
	// arrival is the time between two attackers' first appearances.
	arrival = time.Millisecond
)

// attacker is one client with an address of its own.
type attacker struct {
	number int
	dialer net.Dialer
	tick   *time.Ticker
}

// newFlood is a flood that has not begun.
func newFlood(target target) *flood {
	f := &flood{target: target, begun: make(chan struct{})}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// come makes all attackers open their sockets.
func (f *flood) come() {
	for i := range attackers {
		f.all.Go(func() { f.attack(i) })
	}
}

func (f *flood) stop() {
	f.cancel()
	f.all.Wait()
}

// attack is an attacker's life. It comes back whenever it is thrown out.
func (f *flood) attack(number int) {
	a := &attacker{number: number, tick: time.NewTicker(time.Duration(1+number) * arrival), dialer: net.Dialer{Timeout: 10 * time.Second,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+number/250), byte(1+number%250))}}}
	defer a.tick.Stop()
	f.wait(a)
	a.tick.Reset(pause)
	for act := kinds[number%len(kinds)]; f.wait(a); {
		_ = act(f, a) // what the tracker does against it is counted there
	}
}

// ready is when an attacker that has come may begin.
func (f *flood) ready() {
	select {
	case <-f.begun:
	case <-f.ctx.Done():
	}
}

// wait is until the attacker's next burst; false: the flood is over.
func (f *flood) wait(a *attacker) bool {
	select {
	case <-a.tick.C:
		return true
	case <-f.ctx.Done():
		return false
	}
}
