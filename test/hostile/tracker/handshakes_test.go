package tracker

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"io"
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
func TestHandshakes(t *testing.T) { floodWithHellos(t, nil, recordHello(t), 1) }

// TestRetriedHandshakes sends a recorded hello without a key share, which the tracker answers with a HelloRetryRequest, on
// all connections. Then it sends the same hello with a key share on all of them at once. The signature comes after it.
func TestRetriedHandshakes(t *testing.T) {
	hello := recordHello(t, tls.X25519)
	first := withoutKeyShare(t, hello)
	hello[2] = 3 // the tracker has chosen the version now, so records must name it
	// A HelloRetryRequest has about a hundred bytes, the answer to the second hello more than a thousand.
	floodWithHellos(t, first, hello, 512)
}

// floodWithHellos has a crowd send the hello at once. Each of them counts as served once that many bytes have come back.
// first, unless it is nil, is sent before, and answered by something shorter.
func floodWithHellos(t *testing.T, first, hello []byte, answer int) {
	cert, key := rsaCertificate(t)
	public := lab.FreeAddress(t)
	s := stream.Start(t, stream.Options{NoSeeder: true, Tracker: func(c *config.Config) {
		c.InternalListen, c.Listen = c.Listen, public // the pair meets inside, in the clear: it measures the tracker alone
		c.TLSCert, c.TLSKey = cert, key
	}})
	pair := bystander.NewPair(t, s)
	watch := bystander.Measure(t, s.Tracker)

	crowd := make([]net.Conn, helloCrowd)
	from := [2]int{newOrigin(), newOrigin()}
	for i := range crowd {
		crowd[i] = tcp(t, public, from[i%2])
	}
	if first != nil {
		for _, c := range crowd {
			if _, err := c.Write(first); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range crowd {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := c.Read(make([]byte, 1)); err != nil {
				t.Fatalf("the answer to the first hello: %v", err)
			}
		}
	}
	answered := make(chan bool, helloCrowd)
	var all sync.WaitGroup
	for _, c := range crowd {
		if _, err := c.Write(hello); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, err := io.ReadFull(c, make([]byte, answer))
			answered <- err == nil
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
	if served == 0 {
		t.Error("the tracker answered none of them: the attack is not what it should be")
	}
	pair.Unharmed(t, time.Second)
	for _, c := range crowd {
		_ = c.Close()
	}
	watch.Check(t, bystander.Bounds{Memory: 320 << 20, Log: 2 << 10})
	lab.Eventually(t, 15*time.Second, "no handshake to wait", func() bool {
		return s.Tracker.Metrics(t).Sum("p2pstream_tracker_handshakes_waiting") == 0
	})
}

// recordHello is the first thing that a TLS client sends. It offers the key exchanges that are given, or the usual ones.
func recordHello(t *testing.T, curves ...tls.CurveID) []byte {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		_ = tls.Client(theirs, &tls.Config{InsecureSkipVerify: true, CurvePreferences: curves}).Handshake() // ends when the pipe does
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

// withoutKeyShare returns a recorded hello whose list of key shares is empty (RFC 8446 §4.2.8).
func withoutKeyShare(t *testing.T, record []byte) []byte {
	t.Helper()
	const extension = 51
	b := append([]byte(nil), record...)
	at := 5 + 4 + 2 + 32 // headers of record and message, version, random
	at += 1 + int(b[at]) // session id
	at += 2 + int(binary.BigEndian.Uint16(b[at:]))
	at += 1 + int(b[at]) // compression methods
	total := at
	for at += 2; at < len(b); {
		size := int(binary.BigEndian.Uint16(b[at+2:]))
		if binary.BigEndian.Uint16(b[at:]) != extension {
			at += 4 + size
			continue
		}
		cut := size - 2 // the list's own length stays
		b = append(b[:at+6], b[at+4+size:]...)
		less := func(at int) { binary.BigEndian.PutUint16(b[at:], binary.BigEndian.Uint16(b[at:])-uint16(cut)) }
		less(3)     // of the record
		less(5 + 2) // of the message, whose length has three bytes
		less(total) // of the extensions
		binary.BigEndian.PutUint16(b[at+2:], 2)
		binary.BigEndian.PutUint16(b[at+4:], 0)
		return b
	}
	t.Fatal("the hello has no key shares")
	return nil
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
