package mesh

import (
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestGivenUpWhileItIsMade gives attempts up while their connections are being made, at whatever moment: no goroutine
// and no socket of theirs is left.
func TestGivenUpWhileItIsMade(t *testing.T) {
	n := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	s := &Swarm{node: n, tasks: newTasks(), log: n.log, dead: make(chan struct{})}
	close(s.dead)
	leaks := goleak.IgnoreCurrent()

	other := &attempt{swarm: s, outgoing: true}
	offer, err := other.makeOffer()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		a := &attempt{swarm: s, remote: "-PM0203-aaaaaaaaaaaa"}
		making := make(chan struct{})
		s.tasks.run(func() {
			close(making)
			if i%2 == 0 {
				_, _ = a.answerTo(offer) // it may have been given up in time, or too late
			} else {
				_, _ = a.makeOffer()
			}
		})
		<-making
		for begun := false; !begun; { // from then on there is something to close
			a.mu.Lock()
			begun = a.pc != nil
			a.mu.Unlock()
		}
		for until := time.Now().Add(time.Duration(i) * 5 * time.Microsecond); time.Now().Before(until); {
			runtime.Gosched()
		}
		s.destroy(a)
	}
	s.destroy(other)
	for !s.tasks.closeIdle() {
		<-s.tasks.wake
	}
	if err := goleak.Find(leaks); err != nil {
		t.Error(err)
	}
}
