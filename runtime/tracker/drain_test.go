package tracker

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// leaver records when and how a client was disconnected.
type leaver struct {
	seeder bool
	at     time.Time
	err    error
}

// crowd connects seeders and viewers; wait returns them in the order in which they were disconnected.
func crowd(t *testing.T, s *Server, seeders, viewers int) (wait func() []leaver, leave func()) {
	t.Helper()
	var mu sync.Mutex
	var gone []leaver
	var reading sync.WaitGroup
	var clients []*client
	for i := range seeders + viewers {
		header := http.Header{}
		if i < seeders {
			header.Set("Authorization", "Bearer "+s.SeederToken())
		}
		c := dial(t, s, header, "")
		clients = append(clients, c)
		c.send(announce(hashOne, peerID(i), 0))
		c.expect(signaling.KindReply) // the client is a member now
		reading.Go(func() {
			err := c.gone()
			mu.Lock()
			defer mu.Unlock()
			gone = append(gone, leaver{i < seeders, time.Now(), err})
		})
	}
	return func() []leaver {
			reading.Wait()
			return gone
		}, func() {
			for _, c := range clients {
				_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(time.Second))
			}
		}
}

// TestDrainIsSpread: seeders go first, viewers one after the other over the period.
func TestDrainIsSpread(t *testing.T) {
	const period, viewers = 2 * time.Second, 20
	s, stop, ended := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", SeederToken: "token", DrainPeriod: Duration(period)})
	wait, _ := crowd(t, s, 3, viewers)
	began := time.Now()
	stop()
	gone := wait()
	<-ended
	for i, l := range gone {
		if l.seeder != (i < 3) {
			t.Errorf("number %d to be sent away: seeder %t", i, l.seeder)
		}
		if !websocket.IsCloseError(l.err, websocket.CloseGoingAway) {
			t.Errorf("closed with %v", l.err)
		}
	}
	// Even on a slow machine, no client is disconnected before its time.
	for i, l := range gone[3:] {
		if turn := period/10 + (period-period/10)*time.Duration(i)/viewers; l.at.Sub(began) < turn-50*time.Millisecond {
			t.Errorf("viewer %d was sent away after %v, its turn is after %v", i, l.at.Sub(began), turn)
		}
	}
}

// TestDrainEndsWhenAllHaveLeft has clients that disconnect during the drain: the tracker does not wait for the rest of the period.
func TestDrainEndsWhenAllHaveLeft(t *testing.T) {
	s, stop, ended := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", SeederToken: "token", DrainPeriod: Duration(5 * time.Minute)})
	wait, leave := crowd(t, s, 1, 5)
	stop()
	eventually(t, "the drain to begin", func() bool {
		status, _ := get(t, "http://"+s.AdminAddr().String()+"/readyz")
		return status == http.StatusServiceUnavailable
	})
	leave()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatalf("still there, with %+v", s.streams.only.Audience())
	}
	wait()
}
