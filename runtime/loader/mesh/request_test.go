package mesh

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func hashOf(s string) (id signaling.ID) {
	copy(id[:], s)
	return id
}

// TestOffersOnRequest: a peer that makes no offers by itself does so when our tracker asks, and connects at once.
func TestOffersOnRequest(t *testing.T) {
	r := newRelay(t)
	var a, b recorder
	na, nb := newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{})
	join(t, na, r, 1, &a, answersOnly)
	join(t, nb, r, 2, &b, answersOnly)
	until(t, "announced", func() bool { return r.count(signaling.EventStarted) == 2 })
	r.only(peerID(2))
	request := string(signaling.AppendOffersRequest(nil, hashOf(string(testHash)), 1))
	r.broadcast(request)
	until(t, "peers meet", func() bool { return a.first() != nil && b.first() != nil })
	if !a.first().Outgoing() {
		t.Error("the peer that was asked did not offer")
	}
}

// TestRequestsWithoutEnd: a tracker that asks all the time gets few announces, and few offers.
func TestRequestsWithoutEnd(t *testing.T) {
	r := newRelay(t)
	r.hold = true
	n := newTestNode(t, NodeConfig{})
	s := join(t, n, r, 1, &recorder{}, answersOnly)
	until(t, "announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	request := string(signaling.AppendOffersRequest(nil, hashOf(string(testHash)), 9))
	began := time.Now()
	for range 500 {
		r.broadcast(request)
	}
	most := func() int64 { return n.offers.Load() }
	until(t, "offers", func() bool { return most() >= 9 })
	for range 500 {
		r.broadcast(request)
	}
	until(t, "all requests to be read", func() bool {
		return metricValue(n.metrics.trackerMessages.WithLabelValues("other")) >= 1000
	})
	if got := most(); got > requestedOffers {
		t.Errorf("%d offers wait for an answer", got)
	}
	if got, bound := r.count(signaling.EventNone), int(time.Since(began)/requestedEvery)+2; got > bound {
		t.Errorf("%d announces within %s", got, time.Since(began))
	}
	s.Leave()
	if got := most(); got != 0 {
		t.Errorf("%d offers are left", got)
	}
}
