package tracker

import (
	"net/http"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// member is a member of a swarm: a socket and an id.
type member struct {
	*socket
	hash, id signaling.ID
}

// join announces a new member, with offers or without, and waits for the reply.
func join(t testing.TB, s *scene, hash signaling.ID, offers int) member {
	t.Helper()
	m := member{dial(t, s.Listen, newOrigin()), hash, peer.NewID()}
	m.announce(hash, m.id, offers)
	if _, ok := m.message(10*time.Second, func(r signaling.TrackerMessage) bool { return r.HasCounts }); !ok {
		t.Fatal("no reply to an announce")
	}
	return m
}

// offer waits for a relayed offer.
func (m member) offer(t testing.TB) signaling.TrackerMessage {
	t.Helper()
	o, ok := m.message(10*time.Second, func(r signaling.TrackerMessage) bool { return r.Kind == signaling.KindOffer })
	if !ok {
		t.Fatal("no offer came")
	}
	return o
}

// answer answers an offer under any name.
func (m member) answer(name, to signaling.ID, sdp string, offerID signaling.Raw) {
	m.raw(frame(fin|opText, signaling.AppendAnswer(nil, m.hash, name, to, signaling.AppendText(nil, sdp), offerID, nil)))
}

// answers collects the answers that come within a time.
func (m member) answers(within time.Duration) (all []string) {
	m.message(within, func(r signaling.TrackerMessage) bool {
		if r.Kind == signaling.KindAnswer {
			all = append(all, string(r.SDP))
		}
		return false
	})
	return all
}

// identities are attacks by pretending to be another client.
var identities = []attack{
	{name: "announcing with the id of another", slow: true, run: func(t *testing.T, _ *scene) {
		// With the intervals that trackers have: the victim answers pings between two keep-alives.
		s := otherTracker(t, func(*config.Config) {})
		hash := peer.NewID()
		victim := join(t, s, hash, 0)
		thief := dial(t, s.Listen, newOrigin())
		done := make(chan struct{})
		go func() {
			defer close(done)
			// The victim answers what it is asked, as every peer does, and is not to be cut off for it.
			victim.offer(t)
		}()
		s.counted(t, 400, func() {
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			for i := range 400 {
				if i%200 == 0 {
					thief = dial(t, s.Listen, newOrigin()) // with a new allowance
				}
				thief.announce(hash, victim.id, 1)
				<-pace.C // one at a time, so that the victim answers what it is asked for each
			}
			thief.alive(t)
		}, "p2pstream_tracker_announces_refused_total", `reason="id_in_use"`)
		if n := offersWithin(thief, time.Second/2); n > 0 {
			t.Errorf("the thief got %d offers", n)
		}
		join(t, s, hash, 1)
		<-done
		victim.alive(t)
	}},
	{name: "stopping for another", run: func(t *testing.T, s *scene) {
		hash := peer.NewID()
		victim := join(t, s, hash, 0)
		thief := dial(t, s.Listen, newOrigin())
		thief.raw(frame(fin|opText, signaling.AppendAnnounce(nil, signaling.Announce{
			InfoHash: hash, PeerID: victim.id, Event: signaling.EventStopped})))
		thief.alive(t)
		join(t, s, hash, 1)
		victim.offer(t)
	}},
	{name: "forged answers", run: func(t *testing.T, s *scene) {
		hash := peer.NewID()
		answerer := join(t, s, hash, 0)
		attacker := join(t, s, peer.NewID(), 0)
		attacker.announce(hash, attacker.id, 0)
		offerer := member{dial(t, s.Listen, newOrigin()), hash, peer.NewID()}
		offerer.announce(hash, offerer.id, 1)
		// One of the two got the offer; the other one is the forger from here on.
		var o signaling.TrackerMessage
		right, forger := answerer, member{attacker.socket, hash, attacker.id}
		if m, ok := right.message(2*time.Second, func(r signaling.TrackerMessage) bool { return r.Kind == signaling.KindOffer }); ok {
			o = m
		} else {
			right, forger = forger, right
			o = right.offer(t)
		}
		const name = "p2pstream_tracker_answers_total"
		s.counted(t, 4, func() {
			forger.answer(forger.id, offerer.id, "to an offer never made", signaling.AppendID(nil, peer.NewID()))
			forger.answer(forger.id, offerer.id, "to the offer of another", o.OfferID)
			forger.answer(forger.id, right.id, "to a peer that offered nothing", o.OfferID)
			for range 100 {
				forger.answer(forger.id, offerer.id, "repeated", o.OfferID)
			}
			forger.alive(t)
			right.answer(right.id, offerer.id, "right", o.OfferID)
			right.answer(right.id, offerer.id, "twice", o.OfferID)
			right.alive(t)
		}, name, `result="unknown"`)
		s.counted(t, 2, func() {
			forger.answer(right.id, offerer.id, "under the name of another", o.OfferID)
			forger.answer(peer.NewID(), offerer.id, "under an unknown name", o.OfferID)
			forger.alive(t)
		}, name, `result="foreign"`)
		s.counted(t, 1, func() {
			forger.answer(forger.id, peer.NewID(), "to an unknown id", o.OfferID)
			forger.alive(t)
		}, name, `result="departed"`)
		if got := offerer.answers(time.Second); len(got) != 1 || got[0] != `"right"` {
			t.Errorf("answers that came through: %q", got)
		}
	}},
	{name: "pretending to be a seeder", run: func(t *testing.T, s *scene) {
		before := s.Stats(t).SeederSockets
		s.refused(t, 6, "token", func() {
			for _, token := range []string{"wrong", "", lab.Token + "x", lab.Token[:4], "null", lab.Token + ", Bearer x"} {
				_, resp := upgrade(t, s.Listen, newOrigin(), "Authorization: Bearer "+token)
				if resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("token %q: %s", token, resp.Status)
				}
			}
		})
		ws, resp := upgrade(t, s.Listen, newOrigin(), "X-Forwarded-For: 127.0.0.1", "Cookie: token="+lab.Token)
		if resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("without a token: %s", resp.Status)
		}
		ws.text(`{"action":"announce","info_hash":"` + peer.NewID().String() + `","peer_id":"` + peer.NewID().String() +
			`","left":0,"event":"completed","seeder":true,"token":"` + lab.Token + `"}`)
		ws.alive(t)
		if got := s.Stats(t).SeederSockets; got != before {
			t.Errorf("%d seeders, %d before", got, before)
		}
	}},
}
