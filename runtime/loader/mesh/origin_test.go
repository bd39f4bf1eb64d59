package mesh

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// TestPeersKnowTheirOrigin: what the tracker says with an offer, and with an answer, is known of the connection.
func TestPeersKnowTheirOrigin(t *testing.T) {
	r := newRelay(t)
	r.origin = `{"site":"berlin","cell":2,"near":false,"gateway":true}`
	a, b := &recorder{}, &recorder{}
	answerer := join(t, newTestNode(t, NodeConfig{}), r, 1, a, answersOnly)
	defer answerer.Leave()
	until(t, "the first to be a member", func() bool { return r.count(signaling.EventStarted) == 1 })
	offerer := join(t, newTestNode(t, NodeConfig{}), r, 2, b)
	defer offerer.Leave()
	until(t, "both ends to be open", func() bool { return a.first() != nil && b.first() != nil })
	want := signaling.Origin{Site: "berlin", Cell: 2, Gateway: true}
	for name, p := range map[string]*Peer{"that got an offer": a.first(), "that got an answer": b.first()} {
		if got := p.Origin(); got != want {
			t.Errorf("the end %s knows %+v", name, got)
		}
	}
	// The tracker says something else, about each of them, and about a stranger.
	want = signaling.Origin{Site: "berlin", Cell: 1, Near: true}
	for i := 1; i <= 3; i++ {
		r.broadcast(string(signaling.AppendPlaceNotice(nil, hashOf(string(testHash)), hashOf(string(peerID(i))), want)))
	}
	until(t, "both ends to know", func() bool { return a.first().Origin() == want && b.first().Origin() == want })
}
