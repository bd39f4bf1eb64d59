package swarm

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// crossroads is a tracker of the attackers, which the seeder and the viewers use beside an honest one: it introduces
// strangers to chosen members, and sends any message.
type crossroads struct {
	t      *testing.T
	server *httptest.Server
	hash   signaling.ID

	announces atomic.Int64 // of all members
	sockets   atomic.Int64 // opened, over time

	mu      sync.Mutex
	members map[signaling.ID]*member
	answers map[string]chan string // by offer id
}

// member is one peer that has announced itself in the attacked swarm.
type member struct {
	c    *crossroads
	id   signaling.ID
	last []offered // of its last announce that had any

	mu   *sync.Mutex // of the socket
	conn *websocket.Conn
}

// offered is one offer that a member made.
type offered struct {
	sdp string
	id  signaling.Raw
}

func newCrossroads(t *testing.T, hash identity.InfoHash) *crossroads {
	c := &crossroads{t: t, hash: lab.Must[signaling.ID](t)(signaling.MakeID(string(hash))),
		members: map[signaling.ID]*member{}, answers: map[string]chan string{}}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	return c
}

func (c *crossroads) url() string {
	return "ws" + strings.TrimPrefix(c.server.URL, "http") + "/announce"
}

// ServeHTTP is one socket of a peer.
func (c *crossroads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c.sockets.Add(1)
	var writing sync.Mutex
	defer func() {
		_ = conn.Close() // it has ended
		c.mu.Lock()
		defer c.mu.Unlock()
		for id, m := range c.members {
			if m.conn == conn {
				delete(c.members, id)
			}
		}
	}()
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if m, err := signaling.ParseTrackerMessage(b); err == nil && m.Kind == signaling.KindAnswer {
			c.answered(m)
			continue
		}
		m, err := signaling.ParseClientMessage(b, signaling.Limits{}.WithDefaults())
		if err != nil || m.InfoHash != c.hash {
			continue
		}
		c.announces.Add(1)
		c.join(m, conn, &writing)
	}
}

func (c *crossroads) answered(m signaling.TrackerMessage) {
	id, _ := m.OfferID.Text()
	sdp, _ := m.SDP.Text()
	c.mu.Lock()
	defer c.mu.Unlock()
	if waiting := c.answers[id]; waiting != nil {
		waiting <- sdp // it has room for the one answer
		delete(c.answers, id)
	}
}

func (c *crossroads) join(m signaling.ClientMessage, conn *websocket.Conn, writing *sync.Mutex) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.members[m.PeerID]
	if known == nil || known.conn != conn {
		known = &member{c: c, id: m.PeerID, conn: conn, mu: writing}
		c.members[m.PeerID] = known
	}
	if len(m.Offers) > 0 {
		known.last = nil
	}
	for _, o := range m.Offers {
		sdp, _ := o.SDP.Text()
		known.last = append(known.last, offered{sdp, bytes.Clone(o.ID)})
	}
}

// take returns an offer of the member that is not answered yet; false if there is none.
func (m *member) take() (o offered, ok bool) {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if len(m.last) == 0 {
		return o, false
	}
	o, m.last = m.last[0], m.last[1:]
	return o, true
}

// all are the members whose peer id begins so.
func (c *crossroads) all(prefix string) (found []*member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, m := range c.members {
		if strings.HasPrefix(id.String(), prefix) {
			found = append(found, m)
		}
	}
	return found
}

// member waits for a member whose peer id begins so.
func (c *crossroads) member(t testing.TB, prefix string) *member {
	t.Helper()
	var found []*member
	lab.Eventually(t, 30*time.Second, "a member "+prefix, func() bool {
		found = c.all(prefix)
		return len(found) > 0
	})
	return found[0]
}

// say sends any text to the member; false if its socket is gone.
func (m *member) say(text []byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.conn.SetWriteDeadline(time.Now().Add(10 * time.Second)) // fails only on a closed socket
	return m.conn.WriteMessage(websocket.TextMessage, text) == nil
}

// offer introduces a peer that offers.
func (m *member) offer(from signaling.ID, sdp, offerID string) bool {
	return m.say(signaling.AppendRelayedOffer(nil, m.c.hash, from,
		signaling.Offer{SDP: signaling.AppendText(nil, sdp), ID: signaling.AppendText(nil, offerID)}, nil))
}

// ask offers and waits for the answer; empty if none comes in time.
func (m *member) ask(from signaling.ID, sdp string, within time.Duration) string {
	id := peer.NewID().String()
	answer := make(chan string, 1)
	m.c.mu.Lock()
	m.c.answers[id] = answer
	m.c.mu.Unlock()
	if !m.offer(from, sdp, id) {
		return ""
	}
	select {
	case sdp := <-answer:
		return sdp
	case <-time.After(within):
		return ""
	}
}

// answer takes one of the member's own offers.
func (m *member) answer(from signaling.ID, o offered, sdp string) bool {
	return m.say(signaling.AppendRelayedAnswer(nil, m.c.hash, from, signaling.AppendText(nil, sdp), o.id, nil))
}
