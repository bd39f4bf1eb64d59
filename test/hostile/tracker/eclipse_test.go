package tracker

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// crowd is viewers without WebRTC: who of them is connected with whom is noted here.
type crowd struct {
	hash signaling.ID

	mu     sync.Mutex
	honest map[signaling.ID]bool
	linked map[[2]signaling.ID]bool
}

// connect notes a connection, which exists only between honest viewers, and reports whether it is new.
func (c *crowd) connect(a, b signaling.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.honest[a] || !c.honest[b] || c.linked[[2]signaling.ID{a, b}] {
		return false
	}
	c.linked[[2]signaling.ID{a, b}], c.linked[[2]signaling.ID{b, a}] = true, true
	return true
}

func (c *crowd) connected(a, b signaling.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.linked[[2]signaling.ID{a, b}]
}

// mean is how many connections an honest viewer has on average.
func (c *crowd) mean() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return float64(len(c.linked)) / float64(len(c.honest))
}

// live is a member's life until its socket is closed: it announces when the tracker says so, with five offers as
// browsers do, and answers every offer of a peer that it is not connected with.
func (c *crowd) live(ws *socket, id signaling.ID) {
	m := member{ws, c.hash, id}
	m.announce(c.hash, id, 5)
	next := time.Now().Add(2 * time.Second)
	for {
		wait := time.Until(next)
		if wait <= 0 {
			m.announce(c.hash, id, 5)
			next = time.Now().Add(2 * time.Second)
			continue
		}
		began := time.Now()
		got, ok := m.message(wait, func(r signaling.TrackerMessage) bool { return r.Interval > 0 || r.Kind != signaling.KindReply })
		switch {
		case !ok && time.Since(began) < wait:
			return // the socket is closed
		case !ok:
		case got.Kind == signaling.KindOffer && !c.connected(id, got.PeerID):
			m.answer(id, got.PeerID, "v=0", got.OfferID)
		case got.Kind == signaling.KindAnswer:
			c.connect(id, got.PeerID)
		case got.Interval > 0:
			next = time.Now().Add(time.Duration(got.Interval) * time.Second)
		}
	}
}

// meet has honest viewers meet among fakes, each at an address of its own, and returns how many connections an honest
// viewer has in the end.
func meet(t *testing.T, honest, fakes int) float64 {
	t.Helper()
	s := otherTracker(t, func(c *config.Config) {
		c.AnnounceInterval = config.IntervalConfig{Min: config.Duration(time.Second), Max: config.Duration(4 * time.Second)}
	})
	c := &crowd{hash: peer.NewID(), honest: map[signaling.ID]bool{}, linked: map[[2]signaling.ID]bool{}}
	var lives sync.WaitGroup
	var sockets []*socket
	join := func(id signaling.ID, from int) {
		ws, resp, err := tryUpgrade(s.Listen, from)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("joining: %v", err)
		}
		sockets = append(sockets, ws)
		lives.Go(func() { c.live(ws, id) })
	}
	defer func() {
		for _, ws := range sockets {
			_ = ws.Close()
		}
		lives.Wait()
	}()
	for i := range fakes {
		join(peer.NewID(), 1+i)
	}
	for i := range honest {
		id := peer.NewID()
		c.mu.Lock()
		c.honest[id] = true
		c.mu.Unlock()
		join(id, 1+fakes+i)
	}
	// Until the meshes no longer grow.
	last, since := 0.0, time.Now()
	lab.Eventually(t, 3*time.Minute, "meshes to be complete", func() bool {
		if now := c.mean(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) > 12*time.Second
	})
	return last
}

// TestEclipse has fakes answer every offer and never connect, while viewers meet.
func TestEclipse(t *testing.T) {
	var alone, attacked float64
	t.Run("crowds", func(t *testing.T) { // at the same time, each on a tracker of its own
		t.Run("without fakes", func(t *testing.T) { t.Parallel(); alone = meet(t, 100, 0) })
		t.Run("among fakes", func(t *testing.T) { t.Parallel(); attacked = meet(t, 100, 120) })
	})
	t.Logf("%.1f connections on average without fakes, %.1f among fakes", alone, attacked)
	if alone < 15 || attacked < 0.9*alone {
		t.Errorf("%.1f connections among fakes, %.1f without", attacked, alone)
	}
}
