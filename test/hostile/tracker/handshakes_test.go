package tracker

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// helloCrowd is how many clients send a TLS hello at once, from two addresses. Each makes the tracker compute a signature
// of about a millisecond, so that all of them are seconds of work.
const helloCrowd = 3600

// TestHandshakes sends the same recorded TLS hello thousands of times, which costs the attacker nothing. Connected clients
// must not notice, and new ones must only wait.
func TestHandshakes(t *testing.T) {
	cert, key := rsaCertificate(t)
	public := lab.FreeAddress(t)
	s := stream.Start(t, stream.Options{NoSeeder: true, Tracker: func(c *config.Config) {
		c.InternalListen, c.Listen = c.Listen, public // the pair meets inside, in the clear: it measures the tracker alone
		c.TLSCert, c.TLSKey = cert, key
	}})
	pair := bystander.NewPair(t, s)
	hello := recordHello(t)
	watch := bystander.Measure(t, s.Tracker)

	crowd := make([]net.Conn, helloCrowd)
	from := [2]int{newOrigin(), newOrigin()}
	for i := range crowd {
		crowd[i] = tcp(t, public, from[i%2])
	}
	answered := make(chan bool, helloCrowd)
	var all sync.WaitGroup
	for _, c := range crowd {
		if _, err := c.Write(hello); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			n, _ := c.Read(make([]byte, 1))
			answered <- n == 1
		})
	}
	began := time.Now()
	newcomer, err := tls.DialWithDialer(&net.Dialer{Timeout: 15 * time.Second}, "tcp", public, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Errorf("a newcomer beside them: %v", err)
	} else {
		t.Logf("a newcomer waited %v", time.Since(began).Round(time.Millisecond))
		_ = newcomer.Close()
	}
	all.Wait()
	close(answered)
	served := 0
	for ok := range answered {
		if ok {
			served++
		}
	}
	t.Logf("%d of %d were answered within %v", served, helloCrowd, time.Since(began).Round(time.Millisecond))
	pair.Unharmed(t, time.Second)
	for _, c := range crowd {
		_ = c.Close()
	}
	watch.Check(t, bystander.Bounds{Memory: 320 << 20, Log: 2 << 10})
	if waiting := s.Tracker.Metrics(t).Sum("p2pstream_tracker_handshakes_waiting"); waiting != 0 {
		t.Errorf("%v handshakes still wait", waiting)
	}
}

// recordHello is the first thing that a TLS client sends.
func recordHello(t *testing.T) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Client(theirs, &tls.Config{InsecureSkipVerify: true}).Handshake() // ends when the pipe does
		_ = theirs.Close()
	}()
	defer func() { _ = ours.Close() }()
	hello := make([]byte, 16<<10)
	n, err := ours.Read(hello)
	if err != nil {
		t.Fatal(err)
	}
	return hello[:n]
}

// rsaCertificate writes a certificate of the kind that costs its server most.
func rsaCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	priv := lab.Must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"tracker.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der := lab.Must[[]byte](t)(x509.CreateCertificate(rand.Reader, template, template, priv.Public(), priv))
	cert, key = filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	for file, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der},
		key:  {Type: "PRIVATE KEY", Bytes: lab.Must[[]byte](t)(x509.MarshalPKCS8PrivateKey(priv))},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
