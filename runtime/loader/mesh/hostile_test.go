package mesh

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func TestNonsenseFromTheTracker(t *testing.T) {
	r := newRelay(t)
	n := newTestNode(t, NodeConfig{})
	s := join(t, n, r, 1, &recorder{})
	until(t, "announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	head := func(from int) string {
		return fmt.Sprintf(`{"action":"announce","info_hash":%q,"peer_id":"-XX0000-00000000000%d","offer_id":"x",`, testHash, from)
	}
	for _, text := range []string{
		"null", "[]", "{", "\x00", `{"action":"announce"}`,
		`{"failure reason":"no"}`, `{"action":"announce","info_hash":"` + string(testHash) + `","failure reason":"no"}`,
		head(1) + `"offer":{"type":"offer","sdp":"v=0"}}`,
		head(2) + `"offer":{"type":"offer","sdp":"v=0\r\na=candidate:1 1 tcp\r\n"}}`,
		head(3) + `"answer":{"type":"answer","sdp":"v=0"}}`,
	} {
		r.broadcast(text)
	}
	until(t, "all were counted", func() bool {
		return counter(t, n.metrics.failed.WithLabelValues(reasonBadSDP)) == 2 &&
			counter(t, n.metrics.dropped.WithLabelValues(reasonUnknown)) == 1 &&
			counter(t, n.metrics.trackerMessages.WithLabelValues("failure")) == 2
	})
	if n.connections.Load() != 0 || s.Peers() != 0 {
		t.Error("nonsense left a connection behind")
	}
	r.broadcast(`{"pad":"` + strings.Repeat("x", trackerReadLimit) + `"}`)
	until(t, "the socket with too long a message was replaced", func() bool { return r.count(signaling.EventNone) >= 1 })
}

func TestIntervalIsRespectedWithinBounds(t *testing.T) {
	for seconds, want := range map[int]time.Duration{0: 0, 1: announceLeast, 20: 20 * time.Second, 86400: announceMost} {
		f := fromTracker{TrackerMessage: signaling.TrackerMessage{Interval: seconds}}
		if got := f.pause(); got != want {
			t.Errorf("interval %d gives %s, want %s", seconds, got, want)
		}
	}
}

func TestSecureTrackerWithOwnRoots(t *testing.T) {
	r := newRelay(t)
	server := httptest.NewTLSServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	transport, ok := server.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("no transport")
	}
	roots := &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	n := newTestNode(t, NodeConfig{TLS: roots})
	s := join(t, n, r, 1, &recorder{}, func(c *SwarmConfig) {
		c.Trackers = []string{strings.Replace(server.URL, "https", "wss", 1)}
	})
	until(t, "announced over TLS", func() bool { return r.count(signaling.EventStarted) == 1 })
	s.Leave()
	until(t, "left", func() bool { return r.socketCount() == 0 })
}

func TestConfigErrorsNameTheField(t *testing.T) {
	for field, cfg := range map[string]NodeConfig{
		"config.iceServers[0]":  {ICEServers: []string{"turn:host:1"}},
		"config.listen":         {Listen: "nonsense"},
		"config.advertise[0]":   {Advertise: []string{"example.com"}},
		"config.maxMessageSize": {MaxMessageSize: 65537},
		"config.queueBytes":     {QueueBytes: -1},
		"config.handshakeLimit": {HandshakeLimit: -1},
		"config.maxOffers":      {MaxOffers: -1},
		"config.maxPeers":       {MaxPeers: -1},
		"config.writeStall":     {WriteStall: -1},
	} {
		if _, err := NewNode(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error is %v", field, err)
		}
	}
	n := newTestNode(t, NodeConfig{})
	good := SwarmConfig{InfoHash: testHash, PeerID: peerID(1), Trackers: []string{"ws://127.0.0.1:1/"}, Handler: &recorder{}}
	for field, change := range map[string]func(*SwarmConfig){
		"swarm.infoHash":    func(c *SwarmConfig) { c.InfoHash = "short" },
		"swarm.peerID":      func(c *SwarmConfig) { c.PeerID = "short" },
		"swarm.trackers:":   func(c *SwarmConfig) { c.Trackers = nil },
		"swarm.trackers[0]": func(c *SwarmConfig) { c.Trackers = []string{"http://host/"} },
		"swarm.handler":     func(c *SwarmConfig) { c.Handler = nil },
		"swarm.maxPeers":    func(c *SwarmConfig) { c.MaxPeers = -1 },
		"swarm.offers":      func(c *SwarmConfig) { c.Offers = 11 },
	} {
		cfg := good
		change(&cfg)
		if _, err := n.Join(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: error is %v", field, err)
		}
	}
}
