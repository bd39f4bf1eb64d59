package tracker

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
)

// TestAFloodAtOneStreamCostsAnotherNothing: many sockets that send what they can, and twenty viewers of another stream that come
// meanwhile, announce, and lose nothing.
func TestAFloodAtOneStreamCostsAnotherNothing(t *testing.T) {
	t.Parallel()
	origin := film(t)
	cfg := tableConfig(t, t.TempDir())
	cfg.Limits = LimitsConfig{Sockets: 150, SocketsPerAddress: -1, SocketsPerTicket: 10_000, MessagesPerSecond: 2000, MessageBurst: 4000}
	s := running(t, cfg)
	mustPut(t, s, entryOf("flooded", origin+"/flooded.m3u8"), entryOf("calm", origin+"/calm.m3u8"))
	hash := swarmOf(t, s, "/media/calm")
	eventually(t, "the swarm to be known", func() bool { return s.streams.owner(hash) != nil })
	flooded, calm := viewerConfig(t, s, "/media/flooded").Trackers[0], viewerConfig(t, s, "/media/calm").Trackers[0]

	const attackers, floodSockets = 24, 2000
	junk := []byte(announce(hashOne, peerID(1), 10))
	var dialed, opened atomic.Int64
	var flood sync.WaitGroup
	for range attackers {
		flood.Go(func() {
			var held []*websocket.Conn
			defer func() {
				for _, ws := range held {
					_ = ws.Close()
				}
			}()
			for dialed.Add(1) <= floodSockets {
				ws, resp, err := websocket.DefaultDialer.Dial(flooded, http.Header{"Origin": {"https://intranet.example.com"}})
				if resp != nil {
					_ = resp.Body.Close()
				}
				if err == nil {
					opened.Add(1)
					held = append(held, ws)
				}
				for _, ws := range held[max(0, len(held)-2):] {
					_ = ws.WriteMessage(websocket.TextMessage, junk) // fails once the tracker has closed it
				}
			}
		})
	}
	eventually(t, "the tracker to be full", func() bool { return s.sockets.Viewers() >= 148 })
	var viewers []*client
	for i := range 20 {
		c, status := open(t, calm, "")
		if c == nil {
			t.Fatalf("viewer %d is refused: %d", i, status)
		}
		viewers = append(viewers, c)
	}
	rounds := 0
	for during := true; during || rounds < 3; rounds++ {
		during = dialed.Load() <= floodSockets
		for i, c := range viewers {
			c.send(announce(hash, peerID(100+i), 0))
			c.read() // a reply; read fails the test if the socket is closed
		}
	}
	flood.Wait()
	if got := statsOf(t, s, "/media/calm"); got.ViewerSockets != 20 || got.Peers != 20 {
		t.Errorf("%d sockets, %d peers", got.ViewerSockets, got.Peers)
	}
	t.Logf("%d rounds of 20 announces beside %d sockets of the flood, %d of which were open at some time", rounds, floodSockets, opened.Load())
}
