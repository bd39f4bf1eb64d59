package stun

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// FuzzReadFrame reads the bytes of a TCP connection as a server does.
func FuzzReadFrame(f *testing.F) {
	f.Add(build(f, stun.TransactionID, stun.BindingRequest))
	f.Add(bytes.Repeat(build(f, stun.TransactionID, stun.BindingRequest, stun.Fingerprint), 3))
	f.Add([]byte{0, 1, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte("GET / HTTP/1.1\r\nHost: stun\r\n\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		r, buf := bytes.NewReader(sent), make([]byte, MaxMessage)
		for rest := len(sent); ; rest = r.Len() {
			n, err := readFrame(r, buf)
			if err != nil {
				return
			}
			if n < headerSize || n > MaxMessage || n%4 != 0 || rest-r.Len() != n {
				t.Fatalf("a message of %d bytes, %d of them read", n, rest-r.Len())
			}
		}
	})
}

// FuzzReadAnswer reads answers of a fake STUN server: a tracker decides by them which servers viewers
// get.
func FuzzReadAnswer(f *testing.F) {
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	id := request.TransactionID
	setID := stun.NewTransactionIDSetter(id)
	f.Add(build(f, setID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(192, 0, 2, 1), Port: 5000}))
	f.Add(build(f, setID, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.ParseIP("2001:db8::1"), Port: 5000}))
	f.Add(build(f, setID, stun.BindingSuccess))
	f.Add(build(f, setID, stun.BindingError, stun.CodeUnauthorized))
	f.Add(build(f, setID, stun.BindingError))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(sent) >= headerSize {
			copy(sent[8:], id[:]) // otherwise every answer would be ignored
		}
		for _, datagrams := range []bool{false, true} {
			c := &replayed{Reader: bytes.NewReader(sent)}
			mapped, err := readAnswer(c, datagrams, make([]byte, MaxMessage), id)
			if err == nil && !mapped.IsValid() {
				t.Fatalf("an answer without an address: %x", sent)
			}
		}
	})
}

// replayed is a connection that delivers recorded bytes and then ends.
type replayed struct {
	net.Conn
	*bytes.Reader
}

// Read implements net.Conn.
func (r *replayed) Read(b []byte) (int, error) { return r.Reader.Read(b) }

// SetReadDeadline implements net.Conn.
func (r *replayed) SetReadDeadline(time.Time) error { return nil }
