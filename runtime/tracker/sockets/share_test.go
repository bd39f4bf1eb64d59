package sockets

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// shared is a rig with two groups: requests for /small are of one, all others of the other.
func shared(t *testing.T, change func(*Config)) (r *rig, large, small *Group) {
	t.Helper()
	r = newRig(t, func(cfg *Config) {
		cfg.Route = func(req *http.Request) *Group {
			if strings.HasPrefix(req.URL.Path, "/small") {
				return small
			}
			return r.group
		}
		change(cfg)
	})
	small = r.NewGroup(GroupConfig{Handler: r.handler, Origin: func(string, string) bool { return true }})
	return r, r.group, small
}

// connect opens a socket and returns nil if it is refused.
func connect(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, resp, err := websocket.DefaultDialer.Dial(url, nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil
	}
	t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// alive sends a message and reports whether it comes back.
func alive(ws *websocket.Conn) bool {
	if ws.WriteMessage(websocket.TextMessage, []byte("hello")) != nil {
		return false
	}
	_ = ws.SetReadDeadline(time.Now().Add(patience))
	_, b, err := ws.ReadMessage()
	return err == nil && string(b) == "hello"
}

// listed is how many viewers of a group may have to yield.
func listed(s *Server, g *Group) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := g.newest; c != nil; c = c.older {
		n++
	}
	return n
}

// TestACrowdYieldsToAGroupWithFewSockets, newest first, and not to one that has as many.
func TestACrowdYieldsToAGroupWithFewSockets(t *testing.T) {
	r, large, small := shared(t, func(cfg *Config) { cfg.Sockets = 40 })
	var crowd, few []*websocket.Conn
	for range 40 {
		ws := connect(t, r.url)
		if ws == nil {
			t.Fatal("there is room")
		}
		crowd = append(crowd, ws)
		// A client has its answer before the server lists the socket: the next one must not overtake it.
		eventually(t, "the socket to be listed", func() bool { return listed(r.Server, large) == len(crowd) })
	}
	if connect(t, r.url) != nil {
		t.Fatal("one above the limit is accepted")
	}
	for range 10 {
		ws := connect(t, r.url+"/small")
		if ws == nil {
			t.Fatalf("refused, with %d and %d sockets", large.Viewers(), small.Viewers())
		}
		few = append(few, ws)
		eventually(t, "the new socket to be counted, and one to yield", func() bool {
			return small.Viewers() == len(few) && large.Viewers() == 40-len(few)
		})
		for range 5 {
			if connect(t, r.url) != nil {
				t.Fatal("the crowd has taken the place back")
			}
		}
	}
	for i, ws := range append(few, crowd[:30]...) {
		if !alive(ws) {
			t.Fatalf("socket %d, which was to stay, is closed; %d and %d are counted", i, large.Viewers(), small.Viewers())
		}
	}
	_ = crowd[39].SetReadDeadline(time.Now().Add(patience))
	if _, _, err := crowd[39].ReadMessage(); !websocket.IsCloseError(err, websocket.CloseTryAgainLater) {
		t.Errorf("the newest ends with %v", err)
	}
	for range 10 {
		if connect(t, r.url+"/small") == nil {
			t.Fatal("less than half, and refused")
		}
		eventually(t, "as many sockets as there may be", func() bool { return large.Viewers()+small.Viewers() == 40 })
	}
	if connect(t, r.url+"/small") != nil {
		t.Error("a group takes from one that has as much")
	}
}

// TestAFloodOfRequestsLeavesOthersTheirPart of the rate of upgrades.
func TestAFloodOfRequestsLeavesOthersTheirPart(t *testing.T) {
	r, _, _ := shared(t, func(cfg *Config) { cfg.UpgradesPerSecond, cfg.UpgradeBurst = 1, 40 })
	first := connect(t, r.url+"/small") // the group competes from now on
	if first == nil {
		t.Fatal("refused before the flood")
	}
	refused := 0
	for range 80 {
		if connect(t, r.url) == nil {
			refused++
		}
	}
	if refused == 0 {
		t.Fatal("the flood is below the rate")
	}
	for range 8 {
		if connect(t, r.url+"/small") == nil {
			t.Fatal("refused because of a flood at another group")
		}
	}
}

// TestMemoryIsFreedWhereMostOfItIs: the group that holds little loses nothing, although its largest holder is the largest.
func TestMemoryIsFreedWhereMostOfItIs(t *testing.T) {
	group := func(sizes ...int64) (*Group, []*conn) {
		g := &Group{}
		var all []*conn
		for _, n := range sizes {
			c := &conn{group: g, closing: true} // closed already: only what is chosen counts here
			c.held.Store(n)
			all = append(all, c)
		}
		return g, all
	}
	_, few := group(50)
	_, many := group(40, 40, 40)
	s := &Server{}
	sizes := map[*conn]int64{}
	for _, c := range append(few, many...) {
		sizes[c] = c.size()
	}
	chosen := s.chooseHolders(append(few, many...), sizes, 75)
	for _, c := range chosen {
		if c.group == few[0].group {
			t.Error("the group that holds less loses a socket")
		}
	}
	if len(chosen) != 2 {
		t.Errorf("%d sockets are closed for 75 bytes", len(chosen))
	}
}
