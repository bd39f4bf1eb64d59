package tracker

import (
	"crypto/tls"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// heldBytes is the gauge of what all sockets hold.
func heldBytes(t *testing.T, s *Server) int {
	t.Helper()
	families, err := s.reg.(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "p2pstream_tracker_sockets_held_bytes" {
			return int(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	t.Fatal("there is no such gauge")
	return 0
}

// TestBuffersOfTLSCount: crypto/tls keeps a buffer for the largest record that a client has sent.
func TestBuffersOfTLSCount(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	for name, tt := range map[string]struct {
		cfg         Config
		least, most int
	}{
		"plain": {Config{}, 1000, 2000},
		"TLS":   {Config{TLSCert: cert, TLSKey: key}, 3000, 45_000},
	} {
		t.Run(name, func(t *testing.T) {
			s := running(t, tt.cfg)
			scheme := "ws://"
			if tt.cfg.TLSCert != "" {
				scheme = "wss://"
			}
			dialer := websocket.Dialer{WriteBufferSize: 16 << 10, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
			ws, resp, err := dialer.Dial(scheme+s.Addr().String()+"/announce", nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			defer func() { _ = ws.Close() }()
			c := &client{t, ws}
			c.send(announce(hashOne, peerID(1), 10)) // as browsers do: some kilobytes
			c.expect(signaling.KindReply)
			eventually(t, "only what is kept for reading to be held", func() bool {
				n := heldBytes(t, s)
				return n >= tt.least && n <= tt.most
			})
			t.Logf("an idle socket holds %d bytes", heldBytes(t, s))
		})
	}
}

// TestTheMemoryThereIsBoundsWhatSocketsHold, unless it is configured.
func TestTheMemoryThereIsBoundsWhatSocketsHold(t *testing.T) {
	byDefault := Config{}.WithDefaults(1).Limits.HeldBytes
	for name, tt := range map[string]struct {
		configured int
		memory     int64
		want       int
	}{
		"nothing is known":  {0, 0, byDefault},
		"half of it":        {0, 1 << 30, 1 << 29},
		"more than needed":  {0, 1 << 40, byDefault},
		"hardly any":        {0, 1 << 10, config.LeastHeldBytes},
		"it was configured": {1 << 30, 1 << 20, 1 << 30},
	} {
		if got := heldLimit(Config{Limits: LimitsConfig{HeldBytes: tt.configured}}, tt.memory); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
