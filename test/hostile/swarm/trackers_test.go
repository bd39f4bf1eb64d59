package swarm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// trackers are what a tracker can send to programs that use it beside an honest one.
func (s *scene) trackers(t *testing.T) {
	head := `{"action":"announce","info_hash":"` + s.crossroads.hash.String() + `",`
	good := goodOffer(t)
	for _, v := range s.victims() {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			for _, a := range []struct {
				name string
				run  func(t *testing.T, m *member)
			}{
				{"nonsense", func(_ *testing.T, m *member) {
					for range 200 {
						for _, text := range []string{"null", "[]", "{", "", "\x00", "0", `"x"`, "[" + strings.Repeat("[", 10_000), `{"action":null}`,
							head + `"peer_id":null,"offer":null,"offer_id":null}`, head + `"offer":{"type":"offer","sdp":null}}`, head + `"answer":[]}`} {
							m.say([]byte(text))
						}
					}
				}},
				{"long frames", func(t *testing.T, m *member) {
					for range 5 {
						m.say([]byte(head + `"pad":"` + strings.Repeat("x", 4<<20) + `"}`)) // the socket ends in the middle
						m = s.crossroads.member(t, v.prefix)
					}
				}},
				{"failures and warnings without end", func(_ *testing.T, m *member) {
					for range 3000 {
						m.say([]byte(head + `"failure reason":"` + strings.Repeat("f", 500) + `"}`))
						m.say([]byte(head + `"warning message":"` + strings.Repeat("w", 500) + `"}`))
					}
				}},
				{"absurd intervals", func(t *testing.T, m *member) {
					before := s.crossroads.announces.Load()
					for range 200 {
						for _, n := range []string{"0", "-1", "1e300", "-1e300", "0.0000001", "1", "null", "99999999999999999999"} {
							m.say([]byte(head + `"interval":` + n + `,"min interval":` + n + `,"complete":-1,"incomplete":1e9}`))
						}
					}
					timer := time.NewTimer(500 * time.Millisecond)
					defer timer.Stop()
					<-timer.C
					if n := s.crossroads.announces.Load() - before; n > 50 {
						t.Errorf("%d announces within half a second", n)
					}
				}},
				{"a tracker id of 60 KB", func(_ *testing.T, m *member) {
					m.say([]byte(head + `"interval":5,"tracker id":"` + strings.Repeat("i", 60_000) + `"}`))
				}},
				{"offers from itself", func(t *testing.T, m *member) {
					if n := v.process.Counts(t, func() {
						for range 100 {
							m.offer(m.id, good, peer.NewID().String())
						}
						lab.Eventually(t, 10*time.Second, "offers to be dropped", func() bool {
							return v.process.Metrics(t).Sum("p2pstream_mesh_signals_dropped_total", `reason="own"`) >= 100
						})
					}, "p2pstream_mesh_attempts_failed_total"); n > 50 {
						t.Errorf("%v attempts failed over offers from itself", n)
					}
				}},
				{"answers to what was never offered", func(_ *testing.T, m *member) {
					for range 3000 {
						m.answer(peer.NewID(), offered{id: signaling.AppendID(nil, peer.NewID())}, good)
					}
				}},
				{"peers without end", func(t *testing.T, m *member) {
					for i := range 6000 {
						if !m.offer(peer.NewID(), fmt.Sprintf("%sa=x:%d\r\n", good, i), peer.NewID().String()) {
							t.Fatal("the victim has left")
						}
					}
				}},
				{"a socket that ends over and over", func(t *testing.T, _ *member) {
					before := s.crossroads.sockets.Load()
					deadline := time.Now().Add(3 * time.Second)
					for time.Now().Before(deadline) {
						for _, m := range s.crossroads.all(v.prefix) {
							m.mu.Lock()
							_ = m.conn.WriteControl(websocket.CloseMessage, nil, time.Now().Add(time.Second)) // it may be gone
							_ = m.conn.Close()                                                                // likewise
							m.mu.Unlock()
						}
						time.Sleep(10 * time.Millisecond)
					}
					if n := s.crossroads.sockets.Load() - before; n > int64(20*s.count) {
						t.Errorf("%d sockets within three seconds", n)
					}
				}},
			} {
				t.Run(a.name, func(t *testing.T) {
					m := s.crossroads.member(t, v.prefix)
					watch := bystander.Measure(t, v.process)
					a.run(t, m)
					watch.Check(t, bystander.Bounds{Memory: 64 << 20, Log: 16 << 10, Rest: restOfPlaying})
				})
			}
		})
	}
}
