package tracker

import (
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// socketsPerAddress is the limit of the tracker under attack.
const socketsPerAddress = 600

// floods are attacks that send what is allowed, far too often.
var floods = []attack{
	{name: "an announce storm", run: func(t *testing.T, s *scene) {
		hash := peer.NewID()
		s.closedFor(t, 5, "flood", func() {
			var all sync.WaitGroup
			for range 5 {
				ws := dial(t, s.Listen, newOrigin())
				all.Go(func() {
					ws.until(t, 20*time.Second, frame(fin|opText, signaling.AppendAnnounce(nil, signaling.Announce{
						InfoHash: hash, PeerID: peer.NewID(), NumWant: 10, Offers: peer.Offers(10)})))
				})
			}
			all.Wait()
		})
	}},
	{name: "a scrape storm", run: func(t *testing.T, s *scene) {
		s.closedFor(t, 1, "flood", func() {
			ws := dial(t, s.Listen, newOrigin())
			var reading sync.WaitGroup
			reading.Go(func() { _, _ = io.Copy(io.Discard, ws) }) // until it is cut off
			ws.until(t, 20*time.Second, frame(fin|opText, scrape(8)))
			reading.Wait()
		})
	}},
	{name: "offers by the thousand in many messages", run: func(t *testing.T, s *scene) {
		hash := peer.NewID()
		victim := join(t, s, hash, 0)
		var got int
		var all sync.WaitGroup
		all.Go(func() { got = offersWithin(victim.socket, 3*time.Second) })
		s.counted(t, 100, func() {
			for range 8 {
				ws := dial(t, s.Listen, newOrigin())
				all.Go(func() { comeAndGo(t, ws, hash, 90) })
			}
			all.Wait()
		}, "p2pstream_tracker_offers_held_back_total", `limit="offers_per_peer"`)
		t.Logf("one viewer was given %d offers", got)
		if got > maxOffers {
			t.Errorf("one viewer was given %d offers within seconds", got)
		}
	}},
	{name: "many peer ids in one swarm", run: func(t *testing.T, s *scene) {
		hash := peer.NewID()
		ws := dial(t, s.Listen, newOrigin())
		s.limited(t, 50, "ids_per_swarm", func() {
			for range 60 {
				ws.announce(hash, peer.NewID(), 0)
			}
			ws.alive(t)
		})
		if n := members(t, ws, hash); n > 4 {
			t.Errorf("one socket is %d members of a swarm", n)
		}
	}},
	{name: "many peer ids on one socket", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		s.limited(t, 16, "ids_per_socket", func() {
			for range 20 { // swarms, each with as many ids as it may have
				hash := peer.NewID()
				for range 4 {
					ws.announce(hash, peer.NewID(), 0)
				}
			}
			ws.alive(t)
		})
	}},
	{name: "many swarms on one socket", run: func(t *testing.T, s *scene) {
		ws := dial(t, s.Listen, newOrigin())
		id := peer.NewID()
		s.limited(t, 50, "swarms_per_socket", func() {
			for range 120 {
				ws.announce(peer.NewID(), id, 0)
			}
			ws.alive(t)
		})
	}},
	{name: "as many swarms as there may be", memory: 128, run: func(t *testing.T, s *scene) {
		from := [...]int{newOrigin(), newOrigin()}
		over := make(chan struct{})
		var held sync.WaitGroup
		defer held.Wait()
		defer close(over)
		s.counted(t, 1, func() {
			const sockets, each = 340, 64 // a few more than 20,000 swarms
			var announced sync.WaitGroup
			for i := range sockets {
				ws := dial(t, s.Listen, from[i%2])
				announced.Add(1)
				held.Go(func() {
					id := peer.NewID()
					for range each {
						ws.announce(peer.NewID(), id, 0)
					}
					ws.alive(t)
					announced.Done()
					ws.hold(over) // a socket that does not answer pings loses its swarms
				})
			}
			announced.Wait()
		}, "p2pstream_tracker_announces_refused_total", `reason="swarms_full"`)
		// The stream itself has its place whatever else there is.
		if m := join(t, s, s.hash, 0); members(t, m.socket, s.hash) == 0 {
			t.Error("a swarm of the stream was refused")
		}
	}},
	{name: "many sockets of one address", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		s.refused(t, 50, "sockets_per_address", func() {
			for i := range socketsPerAddress + 50 {
				_, resp := upgrade(t, s.Listen, from)
				want := http.StatusSwitchingProtocols
				if i >= socketsPerAddress {
					want = http.StatusServiceUnavailable
				}
				if resp.StatusCode != want {
					t.Fatalf("socket %d: %s", i, resp.Status)
				}
			}
		})
	}},
	{name: "sockets that come and go", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		var all sync.WaitGroup
		s.refused(t, 500, "upgrade_rate_of_address", func() {
			for range 8 {
				all.Go(func() {
					for range 500 {
						if ws, _, err := tryUpgrade(s.Listen, from); err == nil {
							_ = ws.Close()
						}
					}
				})
			}
			all.Wait()
		})
	}},
}

// comeAndGo joins a swarm and leaves it over and over, under a new id each time. A new id has met no member yet, so its
// offers would be given to all of them once more.
func comeAndGo(t testing.TB, ws *socket, hash signaling.ID, times int) {
	for range times {
		id := peer.NewID()
		ws.announce(hash, id, 10)
		ws.raw(frame(fin|opText, signaling.AppendAnnounce(nil, signaling.Announce{
			InfoHash: hash, PeerID: id, Event: signaling.EventStopped})))
	}
	ws.alive(t)
}

// members is how many a swarm has, by a scrape.
func members(t testing.TB, ws *socket, hash signaling.ID) int {
	t.Helper()
	ws.raw(frame(fin|opText, signaling.AppendScrape(nil, hash)))
	m, ok := ws.message(10*time.Second, func(m signaling.TrackerMessage) bool {
		return m.Kind == signaling.KindScrape && len(m.Files) == 1 && m.Files[0].InfoHash == hash
	})
	if !ok {
		t.Fatal("no reply to a scrape")
	}
	return m.Files[0].Complete + m.Files[0].Incomplete
}
