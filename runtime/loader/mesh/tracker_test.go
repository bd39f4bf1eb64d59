package mesh

import (
	"math"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// relay is the smallest tracker that peers can meet at: each offer goes to the next other member.
type relay struct {
	t        testing.TB
	interval int
	foreign  bool // set before the first peer joins
	server   *http.Server
	addr     string

	mu        sync.Mutex
	swarms    map[signaling.ID]map[signaling.ID]*relaySocket
	sockets   map[*relaySocket]struct{}
	announces map[signaling.Event]int
	auth      []string
	hold      bool
	target    signaling.ID
	lost      []signaling.ID
	origin    string // JSON member that is added to what is relayed
	wg        sync.WaitGroup
}

type relaySocket struct {
	mu   sync.Mutex
	conn *websocket.Conn
}

func (s *relaySocket) send(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.conn.WriteMessage(websocket.TextMessage, b) // the reader notices
}

func newRelay(t testing.TB) *relay {
	r := &relay{
		t: t, interval: 120, addr: "127.0.0.1:0",
		announces: map[signaling.Event]int{},
	}
	r.start()
	t.Cleanup(r.stop)
	return r
}

func (r *relay) url() string { return "ws://" + r.addr + "/announce" }

func (r *relay) start() {
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.addr = l.Addr().String()
	r.mu.Lock()
	r.swarms = map[signaling.ID]map[signaling.ID]*relaySocket{}
	r.sockets = map[*relaySocket]struct{}{}
	r.mu.Unlock()
	r.server = &http.Server{Handler: http.HandlerFunc(r.serve), ReadHeaderTimeout: time.Second}
	server := r.server
	r.wg.Go(func() { _ = server.Serve(l) }) // ends with ErrServerClosed
}

// stop cuts all sockets, as a tracker that is killed does.
func (r *relay) stop() {
	_ = r.server.Close()
	r.mu.Lock()
	for s := range r.sockets {
		_ = s.conn.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

func (r *relay) serve(w http.ResponseWriter, req *http.Request) {
	r.wg.Add(1)
	defer r.wg.Done()
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	header := http.Header{}
	if !r.foreign {
		header.Set(signaling.TrackerHeader, "1")
	}
	conn, err := up.Upgrade(w, req, header)
	if err != nil {
		return
	}
	s := &relaySocket{conn: conn}
	r.mu.Lock()
	r.sockets[s] = struct{}{}
	r.auth = append(r.auth, req.Header.Get("Authorization"))
	r.mu.Unlock()
	defer r.gone(s)
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if telemetry.IsReport(b) {
			s.send([]byte(`{"action":"announce","info_hash":"p2pstream-reports-v2"}`))
			s.send(telemetry.FrameAnswer(b))
			continue
		}
		m, err := signaling.ParseClientMessage(b, signaling.Limits{})
		if err != nil {
			r.t.Errorf("peer sent %q: %v", b, err)
			return
		}
		r.handle(s, &m)
	}
}

func (r *relay) gone(s *relaySocket) {
	_ = s.conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sockets, s)
	for _, members := range r.swarms {
		for id, other := range members {
			if other == s {
				delete(members, id)
			}
		}
	}
}

func (r *relay) handle(s *relaySocket, m *signaling.ClientMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	members := r.swarms[m.InfoHash]
	if members == nil {
		members = map[signaling.ID]*relaySocket{}
		r.swarms[m.InfoHash] = members
	}
	switch {
	case m.Action == signaling.ActionAnswer:
		if to := members[m.ToPeerID]; to != nil {
			to.send(r.told(signaling.AppendRelayedAnswer(nil, m.InfoHash, m.PeerID, m.SDP, m.OfferID, nil)))
		}
		return
	case m.Event == signaling.EventStopped:
		r.announces[m.Event]++
		delete(members, m.PeerID)
		return
	}
	r.announces[m.Event]++
	r.lost = append(r.lost, m.Lost...)
	members[m.PeerID] = s
	complete := 0
	for id := range members {
		if isSeeder(identity.PeerID(id.String())) {
			complete++
		}
	}
	s.send(signaling.AppendReply(nil, m.InfoHash, r.interval, complete, len(members)-complete))
	if r.hold {
		return
	}
	offers := m.Offers
	for id, other := range members {
		if len(offers) == 0 {
			return
		}
		if id != m.PeerID && (r.target == signaling.ID{} || id == r.target) {
			other.send(r.told(signaling.AppendRelayedOffer(nil, m.InfoHash, m.PeerID, offers[0], nil)))
			offers = offers[1:]
		}
	}
}

// told adds what a tracker with sites says of the sender.
func (r *relay) told(msg []byte) []byte {
	if r.origin == "" {
		return msg
	}
	return append(append(msg[:len(msg)-1], ",\"p2pstream\":"+r.origin...), '}')
}

func (r *relay) count(e signaling.Event) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.announces[e]
}

func (r *relay) socketCount() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.sockets)
}

// only lets offers go to one member.
func (r *relay) only(id identity.PeerID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	copy(r.target[:], id)
}

// broadcast sends raw text to every socket.
func (r *relay) broadcast(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.sockets {
		s.send([]byte(text))
	}
}

func counter(t testing.TB, c prometheus.Metric) float64 {
	t.Helper()
	return metricValue(c)
}

func metricValue(c prometheus.Metric) float64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return math.NaN()
	}
	return m.GetCounter().GetValue()
}
