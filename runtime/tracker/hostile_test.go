package tracker

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// closeCode waits until the tracker closes the socket.
func (c *client) closeCode() int {
	var ce *websocket.CloseError
	if err := c.gone(); errors.As(err, &ce) {
		return ce.Code
	}
	return 0
}

// TestIDThiefCannotCutOff: pongs of a victim whose id others claim do not count as a flood.
func TestIDThiefCannotCutOff(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{MessagesPerSecond: 10_000, MessageBurst: 10_000}})
	victim := dial(t, s, nil, "")
	var pings atomic.Int64
	victim.ws.SetPingHandler(func(data string) error {
		pings.Add(1)
		return victim.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(patience))
	})
	victim.send(announce(hashOne, peerID(1), 0))
	victim.expect(signaling.KindReply)
	cut := make(chan error, 1)
	go func() {
		// A client that reads answers pings at once.
		_ = victim.ws.SetReadDeadline(time.Time{})
		_, _, err := victim.ws.ReadMessage()
		cut <- err
	}()
	thief := dial(t, s, nil, "")
	for range 5 * 200 {
		thief.send(announce(hashOne, peerID(1), 0))
		thief.expect(signaling.KindReply)
	}
	// Requests after all of that are answered.
	victim.send(announce(hashOne, peerID(1), 0))
	if err := <-cut; err != nil {
		t.Errorf("the victim was cut off: %v", err)
	}
	if n := pings.Load(); n == 0 || n > 10 {
		t.Errorf("%d pings, want one every few seconds", n)
	}
}

func TestUnaskedPongsAreAFlood(t *testing.T) {
	s := running(t, Config{})
	c := dial(t, s, nil, "")
	for range 300 {
		if c.ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(patience)) != nil {
			break
		}
	}
	if code := c.closeCode(); code != websocket.ClosePolicyViolation && code != 0 {
		t.Errorf("close code %d", code)
	}
}

func TestTooManyBytesAreAFlood(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{BytesPerSecond: 1, ByteBurst: 1000}})
	c := dial(t, s, nil, "")
	c.send(strings.Repeat(" ", 900))
	c.expect(signaling.KindFailure)
	_ = c.ws.WriteMessage(websocket.TextMessage, make([]byte, 900)) // fails if the socket is closed already
	if code := c.closeCode(); code != websocket.ClosePolicyViolation && code != 0 {
		t.Errorf("close code %d", code)
	}
	eventually(t, "the flood to be counted", func() bool {
		return counter(t, s, `p2pstream_tracker_sockets_closed_total`, "reason", "flood") == 1
	})
}

func counter(t *testing.T, s *Server, name, label, value string) float64 {
	t.Helper()
	families, err := s.reg.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			if label == "" {
				return m.GetCounter().GetValue()
			}
			for _, l := range m.GetLabel() {
				if l.GetName() == label && l.GetValue() == value {
					return m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return 0
}

func TestSilentSocketsGoFirst(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{PingInterval: Duration(time.Second), FirstMessageTimeout: Duration(50 * time.Millisecond)}})
	speaks, silent := dial(t, s, nil, ""), dial(t, s, nil, "")
	speaks.send(announce(hashOne, peerID(1), 0))
	speaks.expect(signaling.KindReply)
	if code := silent.closeCode(); code != websocket.CloseNormalClosure {
		t.Errorf("close code %d", code)
	}
	speaks.send(announce(hashOne, peerID(1), 0))
	speaks.expect(signaling.KindReply)
}

func TestIDsPerSwarm(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{IDsPerSwarm: 2}})
	c := dial(t, s, nil, "")
	others := dial(t, s, nil, "")
	others.send(announce(hashOne, peerID(9), 0))
	others.expect(signaling.KindReply)
	for id, want := range []int{2, 3, 3, 3} { // the oldest is dropped
		c.send(announce(hashOne, peerID(id), 0))
		if m := c.expect(signaling.KindReply); m.Complete+m.Incomplete != want {
			t.Errorf("%d members after %d ids, want %d", m.Complete+m.Incomplete, id+1, want)
		}
	}
	// Ids that were dropped can be taken by another socket, the others cannot.
	others.send(announce(hashOne, peerID(0), 0))
	if m := others.expect(signaling.KindReply); m.Complete+m.Incomplete != 4 {
		t.Errorf("%d members", m.Complete+m.Incomplete)
	}
	other := hashOne
	other[0]++
	c.send(announce(other, peerID(3), 0))
	c.expect(signaling.KindReply)
	if n := counter(t, s, "p2pstream_tracker_limit_hits_total", "limit", "ids_per_swarm"); n != 2 {
		t.Errorf("counted %v times", n)
	}
}

// TestStreamHasItsPlace: clients that create the maximum number of swarms cannot lock out the swarms of the stream.
func TestStreamHasItsPlace(t *testing.T) {
	r := newRegistry(1)
	var counts swarm.Counts
	other, known := hashOne, hashOne
	other[0], known[0] = 'x', 'y'
	if !r.Add(other, &counts, false) || r.Add(hashOne, &counts, false) || r.Add(known, &counts, false) {
		t.Error("the limit does not hold")
	}
	if !r.Add(hashOne, &counts, true) {
		t.Error("a seeder is kept out")
	}
	r.known.Store(setOf([]signaling.ID{known}))
	if !r.Add(known, &counts, false) {
		t.Error("a swarm of the stream is kept out")
	}
}

// TestConnectionsAreBounded opens silent connections, beside one that became a WebSocket.
func TestConnectionsAreBounded(t *testing.T) {
	for name, cfg := range map[string]Config{
		"clear": {Limits: LimitsConfig{Connections: 10, ConnectionsPerAddress: 4}},
		"total": {Limits: LimitsConfig{Connections: 4, ConnectionsPerAddress: -1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := running(t, cfg)
			for range 6 { // WebSockets do not count
				c := dial(t, s, nil, "")
				c.send(announce(hashOne, peerID(1), 0))
				c.expect(signaling.KindReply)
			}
			var open []net.Conn
			for range 7 {
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = c.Close() }()
				open = append(open, c)
			}
			limit := map[string]string{"clear": "connections_per_address", "total": "connections"}[name]
			eventually(t, "three to be refused", func() bool {
				return counter(t, s, "p2pstream_tracker_connections_refused_total", "limit", limit) == 3
			})
			for _, c := range open[4:] {
				_ = c.SetReadDeadline(time.Now().Add(patience))
				if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.ErrNoProgress) {
					t.Errorf("a connection too many is open: %v", err)
				}
			}
			if n := counter(t, s, "p2pstream_tracker_connections_without_request_total", "", ""); n != 0 {
				t.Errorf("%v connections counted as without a request", n)
			}
			_ = open[0].Close()
			eventually(t, "the one that said nothing to be counted", func() bool {
				return counter(t, s, "p2pstream_tracker_connections_without_request_total", "", "") == 1
			})
			eventually(t, "a place to be free again", func() bool {
				resp, err := http.Get("http://" + s.Addr().String() + "/player")
				if err == nil {
					_ = resp.Body.Close()
				}
				return err == nil
			})
			http.DefaultClient.CloseIdleConnections()
		})
	}
}

// TestCrowdsKeepNoConnections sends two requests on one connection.
func TestCrowdsKeepNoConnections(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	s := running(t, Config{TLSCert: cert, TLSKey: key, Limits: LimitsConfig{Connections: 100, ConnectionsPerAddress: 4}})
	ask := func() bool {
		c, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(c, "GET /v1/config HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.Close
	}
	for n, crowd := range []bool{false, false, true} {
		if ask() != crowd {
			t.Errorf("connection %d is kept: %v", n, crowd)
		}
	}
}

func TestUpgradesPerAddress(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{AddressUpgradesPerSecond: 1, AddressUpgradeBurst: 2}})
	dial(t, s, nil, "")
	dial(t, s, nil, "")
	if _, status, err := tryDial(s, nil, ""); err == nil || status != http.StatusServiceUnavailable {
		t.Errorf("a third socket at once: %d %v", status, err)
	}
}

// TestNamesOfStrangers: a page of another site that resolves its own name to the tracker is not allowed.
func TestNamesOfStrangers(t *testing.T) {
	cfg := Config{AllowedOrigins: []string{"https://intranet.example"},
		Stream: &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8", ExternalURL: "https://tracker.example"}}
	s := running(t, cfg)
	for origin, want := range map[string]bool{"https://tracker.example": true, "https://intranet.example": true,
		"http://evil.example": false, "https://evil.example": false} {
		if got := s.streams.only.origins.Allow(origin, "evil.example"); got != want {
			t.Errorf("%s: %v", origin, got)
		}
	}
	cfg.Stream.ExternalURL = ""
	s = running(t, cfg)
	if s.streams.only.origins.Allow("http://tracker.local:8000", "tracker.local:8000") {
		t.Error("a page may connect under a name that the operator did not name")
	}
	if !s.streams.only.origins.Allow("http://192.0.2.1:8000", "192.0.2.1:8000") {
		t.Error("the tracker's own page may not connect")
	}
}

func TestNewConnectionsOfOneAddress(t *testing.T) {
	s := running(t, Config{Limits: LimitsConfig{AddressConnectionsPerSecond: 1, AddressConnectionBurst: 3}})
	for range 6 {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	eventually(t, "most of the others to be refused", func() bool {
		return counter(t, s, "p2pstream_tracker_connections_refused_total", "limit", "connection_rate_of_address") >= 2
	})
}
