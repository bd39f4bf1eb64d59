package mesh

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/backoff"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

type v3TrackerCase struct {
	ID, Kind string
	Input    struct {
		InitialDelayMs, MaxDelayMs int
		Lower, Higher              identity.PeerID
		BothAnswering              bool
		Own, Remote                identity.PeerID
		Current                    string
		Fails                      bool
	}
	Expected struct {
		DelaysMs                                                                                                []int
		LowerTakesAnswerToOwnOffer, LowerCancelsItsAnswering, HigherTakesAnswerToOwnOffer, HigherKeepsAnswering bool
		Accepted                                                                                                []bool
	}
}

// TestVectorV3Tracker compares how ties are broken, and how pauses grow. How long the reference waits for a connection is its
// own affair.
func TestVectorV3Tracker(t *testing.T) {
	folder := os.Getenv("P2PSTREAM_VECTORS")
	if folder == "" {
		folder = "testdata"
	}
	b, err := os.ReadFile(filepath.Join(folder, "v3", "tracker.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all struct{ Cases []v3TrackerCase }
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, c := range all.Cases {
		in, want := c.Input, c.Expected
		switch {
		case c.Kind == "reconnect":
			for n, ms := range want.DelaysMs {
				most := time.Duration(in.MaxDelayMs) * time.Millisecond
				if got := backoff.Doubled(time.Duration(in.InitialDelayMs)*time.Millisecond, most, n); got != time.Duration(ms)*time.Millisecond {
					t.Errorf("%s: pause %d is %v", c.ID, n, got)
				}
			}
		case c.Kind == "glare" && in.BothAnswering:
			answering := &attempt{}
			if lower := !answering.winsOver(in.Lower, in.Higher); lower != want.LowerTakesAnswerToOwnOffer || lower != want.LowerCancelsItsAnswering {
				t.Errorf("%s: the lower one takes the answer: %v", c.ID, lower)
			}
			if keeps := answering.winsOver(in.Higher, in.Lower); keeps == want.HigherTakesAnswerToOwnOffer || keeps != want.HigherKeepsAnswering {
				t.Errorf("%s: the higher one keeps answering: %v", c.ID, keeps)
			}
		case c.Kind == "glare":
			s := newSwarm(newTestNode(t, NodeConfig{}), SwarmConfig{PeerID: in.Own})
			first := &attempt{swarm: s, remote: in.Remote}
			s.pending[in.Remote] = first
			if in.Fails {
				s.fail(first, reasonTimeout)
			}
			if accepted := s.pending[in.Remote] == nil; accepted != want.Accepted[0] {
				t.Errorf("%s: a further offer is accepted: %v", c.ID, accepted)
			}
		default:
			continue
		}
		compared++
	}
	if compared != 5 {
		t.Errorf("%d cases were compared", compared)
	}
}

// TestLooksForFewerThanItAccepts: a swarm that looks for two peers makes no more offers, and has room for those that look for
// it.
func TestLooksForFewerThanItAccepts(t *testing.T) {
	s := newSwarm(newTestNode(t, NodeConfig{}), SwarmConfig{MaxPeers: 3, DialBelow: 2})
	for i, want := range []struct{ wanted, room int }{{2, 3}, {1, 2}, {0, 1}, {-1, 0}} {
		if s.wanted() != want.wanted || s.room() != want.room {
			t.Errorf("with %d peers it looks for %d and has room for %d, want %+v", i, s.wanted(), s.room(), want)
		}
		s.peers[peerID(i)] = nil
	}
	s.cfg.DialBelow, s.peers = 0, map[identity.PeerID]*Peer{}
	if s.wanted() != 3 {
		t.Errorf("without a bound of its own it looks for %d", s.wanted())
	}
}
