package swarm

import (
	"testing"
	"time"
)

// TestASuccessorThatHasGoneIsReplacedSoon: a viewer that went without closing its socket does not answer the seeder's offer. It
// must not keep its site waiting for as long as one that answers and does not connect.
func TestASuccessorThatHasGoneIsReplacedSoon(t *testing.T) {
	w := office(t, 4, 1) // viewer 1 is the next in line, and will not answer
	w.receive(w.core.Close(w.peer("v0", 0).sock))
	if got := w.gateways(4); !same(got, 1) {
		t.Fatalf("gateways after the first one left: %v", got)
	}
	w.announce("S", 1000, w.wanted("S"))
	for range int((mutedAfter + 2*time.Second) / time.Second) {
		w.pass(time.Second)
	}
	if got := w.gateways(4); !same(got, 2) {
		t.Errorf("gateways %s after the seeder's offer: %v", mutedAfter+2*time.Second, got)
	}
	w.check()
}
