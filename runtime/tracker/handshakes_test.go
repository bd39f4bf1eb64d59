package tracker

import (
	"crypto"
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// handshaking is a TLS listener with one slot for hellos and one for signatures.
type handshaking struct {
	*handshakes
	address string
	// signed counts signatures, outside those that were made without a turn.
	signed, outside atomic.Int64
}

// countingKey is a certificate's key that notes whether there is a turn for each signature.
type countingKey struct {
	crypto.Signer
	h *handshaking
}

func (k countingKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.h.signed.Add(1)
	if len(k.h.signatures.slots) == 0 {
		k.h.outside.Add(1)
	}
	return k.Signer.Sign(rand, digest, opts)
}

func newHandshaking(t *testing.T, wait time.Duration, queue int64) *handshaking {
	t.Helper()
	m, err := newConnectionMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	h := &handshaking{handshakes: newHandshakes(m)}
	for _, turns := range []*turns{h.hellos, h.signatures} {
		turns.slots, turns.wait, turns.queue = make(chan struct{}, 1), wait, queue
	}
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pair.PrivateKey = countingKey{pair.PrivateKey.(crypto.Signer), h}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := newConnections(l, Config{}.WithDefaults(1).Limits, m)
	accepted.hellos = h.hellos
	own := tls.NewListener(accepted,
		&tls.Config{CurvePreferences: curves, GetCertificate: h.certificate(func() (*tls.Certificate, error) { return &pair, nil })})
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
				if c.(*tls.Conn).HandshakeContext(t.Context()) == nil { // else the client tells
					_, _ = c.Write([]byte("x")) // the client reads tickets before it
				}
				_ = c.Close()
			}()
		}
	}()
	h.address = l.Addr().String()
	return h
}

// shake is one handshake of a client.
func (h *handshaking) shake(change ...func(*tls.Config)) (tls.ConnectionState, error) {
	cfg := &tls.Config{InsecureSkipVerify: true}
	for _, f := range change {
		f(cfg)
	}
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", h.address, cfg)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer func() { _ = c.Close() }()
	if n, err := c.Read(make([]byte, 1)); n == 0 {
		return tls.ConnectionState{}, err
	}
	return c.ConnectionState(), nil
}

// retried makes a client offer a key for an exchange that the tracker does not know, so that it is asked for another one.
func retried(c *tls.Config) {
	c.CurvePreferences = []tls.CurveID{tls.SecP384r1MLKEM1024, tls.CurveP256}
}

func TestEverySignatureTakesATurn(t *testing.T) {
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.3":                      func(*tls.Config) {},
		"TLS 1.3, a HelloRetryRequest": retried,
		"TLS 1.2":                      func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandshaking(t, patience, 1)
			for range 5 { // each gives its turn back
				state, err := h.shake(change)
				if err != nil {
					t.Fatal(err)
				}
				if state.DidResume || state.HelloRetryRequest != (name == "TLS 1.3, a HelloRetryRequest") {
					t.Fatalf("another handshake than meant: %+v", state)
				}
			}
			if h.signed.Load() != 5 || h.outside.Load() != 0 {
				t.Errorf("%d signatures, %d without a turn", h.signed.Load(), h.outside.Load())
			}
			h.signatures.slots <- struct{}{}
			waits := make(chan error, 1)
			go func() { _, err := h.shake(change); waits <- err }()
			eventually(t, "one to wait", func() bool { return h.signatures.waiting.Load() == 1 })
			if _, err := h.shake(change); err == nil {
				t.Error("more wait than may")
			}
			if n := len(h.hellos.slots); n != 0 {
				t.Error("a handshake that waits to sign keeps others from saying hello")
			}
			<-h.signatures.slots
			if err := <-waits; err != nil {
				t.Errorf("the one that waited: %v", err)
			}
			eventually(t, "every turn to end", func() bool { return len(h.signatures.slots) == 0 })
		})
	}
}

func TestResumedSessionsNeedNoTurn(t *testing.T) {
	for name, version := range map[string]uint16{"TLS 1.3": tls.VersionTLS13, "TLS 1.2": tls.VersionTLS12} {
		t.Run(name, func(t *testing.T) {
			h := newHandshaking(t, patience, 1)
			cache := tls.NewLRUClientSessionCache(1)
			resuming := func(c *tls.Config) {
				c.ClientSessionCache, c.MaxVersion, c.ServerName = cache, version, "tracker.example"
			}
			if _, err := h.shake(resuming); err != nil {
				t.Fatal(err)
			}
			h.signatures.slots <- struct{}{}
			state, err := h.shake(resuming)
			if err != nil || !state.DidResume {
				t.Errorf("resumed: %v, %v", state.DidResume, err)
			}
			if n := h.signed.Load(); n != 1 {
				t.Errorf("%d signatures", n)
			}
		})
	}
}

func TestHandshakesDoNotWaitForEver(t *testing.T) {
	h := newHandshaking(t, 10*time.Millisecond, 5)
	h.signatures.slots <- struct{}{}
	if _, err := h.shake(retried); err == nil {
		t.Error("a handshake without a turn")
	}
	if n := len(h.signatures.slots); n != 1 {
		t.Errorf("%d slots are taken, want the other's", n)
	}
}

// TestHandshakesThatEndEarlyKeepNoSlot: the client hangs up before it has read an answer, or sends something else.
func TestHandshakesThatEndEarlyKeepNoSlot(t *testing.T) {
	h := newHandshaking(t, patience, 5)
	for _, what := range []string{"", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"} {
		c, err := net.Dial("tcp", h.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(what)) // fails where the server has closed the connection
		_ = c.Close()
	}
	if _, err := h.shake(); err != nil {
		t.Error(err)
	}
	eventually(t, "no slot to be taken", func() bool { return len(h.signatures.slots)+len(h.hellos.slots) == 0 })
}

// TestEveryHelloTakesATurn: the second one, too.
func TestEveryHelloTakesATurn(t *testing.T) {
	h := newHandshaking(t, patience, 5)
	h.signatures.slots <- struct{}{} // the handshake stops where it would sign
	waits := make(chan error, 1)
	h.hellos.slots <- struct{}{}
	go func() { _, err := h.shake(retried); waits <- err }()
	eventually(t, "the first hello to wait", func() bool { return h.hellos.waiting.Load() == 1 })
	if n := h.signatures.waiting.Load(); n != 0 {
		t.Errorf("%d wait to sign", n)
	}
	<-h.hellos.slots
	eventually(t, "the handshake to come to its signature", func() bool { return h.signatures.waiting.Load() == 1 })
	<-h.signatures.slots
	if err := <-waits; err != nil {
		t.Error(err)
	}
	eventually(t, "no slot to be taken", func() bool { return len(h.signatures.slots)+len(h.hellos.slots) == 0 })
}

// TestCostlyKeyExchangesAreRefused: the exchange is computed before any turn, so it must be cheap.
func TestCostlyKeyExchangesAreRefused(t *testing.T) {
	h := newHandshaking(t, patience, 5)
	for _, curve := range []tls.CurveID{tls.CurveP384, tls.CurveP521, tls.SecP384r1MLKEM1024} {
		if _, err := h.shake(func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{curve} }); err == nil {
			t.Errorf("%v is taken", curve)
		}
	}
	for _, curve := range curves {
		if state, err := h.shake(func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{curve} }); err != nil || state.CurveID != curve {
			t.Errorf("%v: %v", curve, err)
		}
	}
}
