package tracker

import (
	"net/http"
	"sync"
	"sync/atomic"
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
		s.counted(t, 2, func() {
			for range 2 { // two sockets, each with an allowance of its own
				thief := dial(t, s.Listen, newOrigin())
				pace := time.NewTicker(10 * time.Millisecond)
				for i := range 200 {
					thief.announce(hash, victim.id, 1)
					if i%50 == 0 {
						victim.alive(t) // and so it answers the probes, for which the tracker gives it 4 s
					}
					<-pace.C
				}
				pace.Stop()
				thief.alive(t)
			}
		}, "p2pstream_tracker_shared_ids_total")
		// Peers with one id are not introduced to each other, and each of them gets the offers of a third.
		thief := member{dial(t, s.Listen, newOrigin()), hash, victim.id}
		thief.announce(hash, thief.id, 5)
		thief.alive(t) // it is a member before the other one makes its offers
		other := member{dial(t, s.Listen, newOrigin()), hash, peer.NewID()}
		other.announce(hash, other.id, 10)
		o := victim.offer(t)
		if o.PeerID != other.id {
			t.Fatalf("the victim got an offer of %q, want one of %q", o.PeerID, other.id)
		}
		stolen, ok := thief.message(10*time.Second, func(r signaling.TrackerMessage) bool { return r.Kind == signaling.KindOffer })
		if !ok {
			t.Fatal("a peer that uses the id of another got no offer")
		}
		// Each answers in its turn: an answer belongs to the offer, and an offer to the socket that got it.
		thief.answer(thief.id, other.id, "stolen", o.OfferID)
		thief.answer(thief.id, other.id, "thief", stolen.OfferID)
		thief.alive(t)
		victim.answer(victim.id, other.id, "victim", o.OfferID)
		got := other.answers(2 * time.Second)
		if len(got) != 2 || got[0] != `"thief"` || got[1] != `"victim"` {
			t.Errorf("answers that came through: %q", got)
		}
		// Answers to the victim's own offers reach the victim, and not the other socket with its id.
		third := join(t, s, hash, 0)
		victim.announce(hash, victim.id, 5)
		mine := third.offer(t)
		third.answer(third.id, victim.id, "for the victim", mine.OfferID)
		third.alive(t)
		if got := thief.answers(time.Second / 2); len(got) != 0 {
			t.Errorf("answers that reached the other socket: %q", got)
		}
		if got := victim.answers(time.Second); len(got) != 1 || got[0] != `"for the victim"` {
			t.Errorf("answers that reached the victim: %q", got)
		}
		victim.alive(t)
	}},
	{name: "ids of viewers claimed after a restart", slow: true, run: func(t *testing.T, _ *scene) {
		s := otherTracker(t, func(*config.Config) {})
		hash := peer.NewID()
		ids := make([]signaling.ID, 60)
		for i := range ids {
			ids[i] = peer.NewID()
		}
		// Fifteen sockets are back first, each with as many ids as a socket may have in a swarm.
		for i := range 15 {
			thief := dial(t, s.Listen, newOrigin())
			for _, id := range ids[4*i : 4*i+4] {
				thief.announce(hash, id, 0)
			}
			thief.alive(t)
		}
		began := time.Now()
		viewers := make([]member, len(ids))
		for i, id := range ids {
			viewers[i] = member{dial(t, s.Listen, newOrigin()), hash, id}
			viewers[i].announce(hash, id, 5)
		}
		var without atomic.Int64
		var waiting sync.WaitGroup
		for _, v := range viewers {
			waiting.Go(func() {
				if _, ok := v.message(5*time.Second, func(r signaling.TrackerMessage) bool { return r.Kind == signaling.KindOffer }); !ok {
					without.Add(1)
				}
			})
		}
		for range 3 {
			for _, v := range viewers {
				v.announce(hash, v.id, 5)
			}
		}
		waiting.Wait()
		// Offers go to viewers at random, so that one may get its first one later. It has peers all the same: its own
		// offers are answered.
		if n := without.Load(); n > int64(len(viewers)/20) {
			t.Errorf("%d of %d viewers got no offer in %v", n, len(viewers), time.Since(began).Round(time.Millisecond))
		}
	}},
	{name: "the prefix of seeders without the token", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		id, hash := peer.NewID(), peer.NewID()
		copy(id[:], "-PS0001-")
		s.counted(t, 1, func() {
			ws.announce(hash, id, 1)
			m, ok := ws.message(5*time.Second, func(m signaling.TrackerMessage) bool { return m.Kind == signaling.KindFailure || m.HasCounts })
			if !ok || m.Failure == "" || m.Action != signaling.ActionAnnounce {
				t.Errorf("no reason for the refusal: %+v", m)
			}
		}, "p2pstream_tracker_announces_refused_total", `reason="reserved_id"`)
		ws.alive(t)
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
