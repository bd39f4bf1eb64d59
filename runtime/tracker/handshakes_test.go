package tracker

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// handshaking is a TLS listener with one place for handshakes.
func handshaking(t *testing.T, wait time.Duration, queue int64) (*handshakes, string) {
	t.Helper()
	m, err := newConnectionMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h := newHandshakes(m)
	h.slots, h.wait, h.queue = make(chan struct{}, 1), wait, queue
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	own := tls.NewListener(newConnections(l, Config{}.WithDefaults(1).Limits, m),
		&tls.Config{Certificates: []tls.Certificate{pair}, GetConfigForClient: h.begin})
	done := make(chan struct{})
	t.Cleanup(func() { _ = own.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := own.Accept()
			if err != nil {
				return
			}
			go func() {
				_ = c.(*tls.Conn).HandshakeContext(t.Context()) // the client tells
				_ = c.Close()
			}()
		}
	}()
	return h, l.Addr().String()
}

func shake(address string) error {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err == nil {
		_ = c.Close()
	}
	return err
}

func TestHandshakesTakeTurns(t *testing.T) {
	h, address := handshaking(t, patience, 1)
	for range 20 { // each gives its place back
		if err := shake(address); err != nil {
			t.Fatal(err)
		}
	}
	h.slots <- struct{}{}
	waits := make(chan error, 1)
	go func() { waits <- shake(address) }()
	eventually(t, "one to wait", func() bool { return h.waiting.Load() == 1 })
	if err := shake(address); err == nil {
		t.Error("more wait than may")
	}
	<-h.slots
	if err := <-waits; err != nil {
		t.Errorf("who waited: %v", err)
	}
	if n := len(h.slots); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}

func TestHandshakesDoNotWaitForEver(t *testing.T) {
	h, address := handshaking(t, 10*time.Millisecond, 5)
	h.slots <- struct{}{}
	if err := shake(address); err == nil {
		t.Error("a handshake without a turn")
	}
	if n := len(h.slots); n != 1 {
		t.Errorf("%d places are taken, want the other's", n)
	}
}

// TestHandshakesThatEndEarlyKeepNoPlace: the client hangs up before it has read an answer, or sends something else.
func TestHandshakesThatEndEarlyKeepNoPlace(t *testing.T) {
	h, address := handshaking(t, patience, 5)
	for _, what := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(what)) // fails where the server has closed the connection
		_ = c.Close()
	}
	if err := shake(address); err != nil {
		t.Error(err)
	}
	eventually(t, "no place to be taken", func() bool { return len(h.slots) == 0 })
}
