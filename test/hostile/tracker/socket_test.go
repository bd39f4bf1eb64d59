package tracker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// socket is an attacker's WebSocket, which sends any bytes.
type socket struct {
	net.Conn
	r *bufio.Reader
}

// Opcodes of RFC 6455 §11.8, and the close codes that a tracker uses.
const (
	opContinuation, opText, opBinary, opClose, opPing, opPong = 0, 1, 2, 8, 9, 10

	codeProtocol, codePolicy, codeTooLarge = 1002, 1008, 1009
)

// origins numbers the addresses that attacks come from, so that limits per address count each alone.
var origins atomic.Int64

// newOrigin is an address that was not used yet.
func newOrigin() int { return int(origins.Add(1)) + 1 }

// tcp connects from an address of attackers.
func tcp(t testing.TB, address string, from int) net.Conn {
	t.Helper()
	c := lab.Must[net.Conn](t)(lab.DialerFrom(from).Dial("tcp", address))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// upgrade asks for a WebSocket; headers are lines to add.
func upgrade(t testing.TB, address string, from int, headers ...string) (*socket, *http.Response) {
	t.Helper()
	s, resp, err := tryUpgrade(address, from, headers...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, resp
}

// tryUpgrade asks with the ticket of a session of its own.
func tryUpgrade(address string, from int, headers ...string) (*socket, *http.Response, error) {
	return upgradeAt(address, from, "/announce?t="+lab.Ticket(), headers...)
}

// upgradeAt asks for a WebSocket at a path. A Host header in headers replaces the address.
func upgradeAt(address string, from int, path string, headers ...string) (*socket, *http.Response, error) {
	c, err := lab.DialerFrom(from).Dial("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	lines := append([]string{"GET " + path + " HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, headers...)
	if !slices.ContainsFunc(headers, func(h string) bool { return strings.HasPrefix(h, "Host: ") }) {
		lines = append(lines, "Host: "+address)
	}
	s := &socket{Conn: c, r: bufio.NewReader(c)}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err = io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	resp, err := http.ReadResponse(s.r, nil)
	if err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	_ = resp.Body.Close()
	_ = c.SetDeadline(time.Time{})
	return s, resp, nil
}

// dial is upgrade that must succeed.
func dial(t testing.TB, address string, from int) *socket {
	t.Helper()
	s, resp := upgrade(t, address, from)
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade: %s", resp.Status)
	}
	return s
}

// frame builds a frame with a mask of zeros, which leaves the payload as it is; first holds FIN, RSV and opcode.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

const fin = 0x80

// text sends a message; what comes back shows whether it arrived.
func (s *socket) text(msg string) { s.raw(frame(fin|opText, []byte(msg))) }

// raw sends bytes and reports whether the connection took them.
func (s *socket) raw(b []byte) bool {
	_ = s.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_, err := s.Write(b)
	return err == nil
}

// until sends the same bytes until the connection takes no more, or the time is over.
func (s *socket) until(t testing.TB, within time.Duration, b []byte) {
	t.Helper()
	for deadline := time.Now().Add(within); s.raw(b); {
		if time.Now().After(deadline) {
			t.Errorf("not cut off in %v", within)
			return
		}
	}
}

// announce sends an announce of id in hash.
func (s *socket) announce(hash, id signaling.ID, offers int) {
	s.raw(frame(fin|opText, signaling.AppendAnnounce(nil, signaling.Announce{
		InfoHash: hash, PeerID: id, NumWant: offers, Offers: peer.Offers(offers)})))
}

// next reads one frame.
func (s *socket) next(within time.Duration) (opcode byte, payload []byte, err error) {
	_ = s.SetReadDeadline(time.Now().Add(within))
	var head [2]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	switch size {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(s.r, b[:]); err != nil {
			return 0, nil, err
		}
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(s.r, b[:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(b[:])
	}
	if size > 1<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes", size)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(s.r, payload)
	return head[0] & 0x0f, payload, err
}

// closed waits until the tracker closes the connection, and returns the code of its close frame, 0 without one.
func (s *socket) closed(t testing.TB, within time.Duration) (code int) {
	t.Helper()
	for deadline := time.Now().Add(within); ; {
		opcode, payload, err := s.next(time.Until(deadline))
		var ne net.Error
		switch {
		case errors.As(err, &ne) && ne.Timeout():
			t.Errorf("not cut off in %v", within)
			return -1
		case err != nil:
			return code
		case opcode == opClose && len(payload) >= 2 && code == 0:
			code = int(binary.BigEndian.Uint16(payload))
			s.raw(frame(fin|opClose, payload[:2]))
		}
	}
}

// cutOff fails the test unless the tracker closes the connection with the code. A connection that is reset under the
// attacker's own unread bytes loses the close frame, so a reset counts where the attacker goes on sending.
func (s *socket) cutOff(t testing.TB, code int) {
	t.Helper()
	if got := s.closed(t, 20*time.Second); got != code {
		t.Errorf("close code %d, want %d", got, code)
	}
}

// message waits for a text message that the test accepts.
func (s *socket) message(within time.Duration, accept func(signaling.TrackerMessage) bool) (signaling.TrackerMessage, bool) {
	for deadline := time.Now().Add(within); ; {
		opcode, payload, err := s.next(time.Until(deadline))
		if err != nil {
			return signaling.TrackerMessage{}, false
		}
		if opcode == opPing {
			s.raw(frame(fin|opPong, payload))
		}
		if opcode != opText {
			continue
		}
		if m, err := signaling.ParseTrackerMessage(payload); err == nil && accept(m) {
			return m, true
		}
	}
}

// alive fails the test unless the tracker still answers on this socket.
func (s *socket) alive(t testing.TB) {
	t.Helper()
	hash := peer.NewID()
	s.raw(frame(fin|opText, signaling.AppendScrape(nil, hash)))
	if _, ok := s.message(10*time.Second, func(m signaling.TrackerMessage) bool {
		return m.Kind == signaling.KindScrape && len(m.Files) == 1 && m.Files[0].InfoHash == hash
	}); !ok {
		t.Error("the socket was cut off")
	}
}

// hold answers pings, so that the tracker keeps the socket, until over is closed. Then it closes the socket.
func (s *socket) hold(over <-chan struct{}) {
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-over:
		case <-ended:
		}
		_ = s.Close()
	}()
	for {
		opcode, payload, err := s.next(time.Minute)
		if err != nil {
			return
		}
		if opcode == opPing {
			s.raw(frame(fin|opPong, payload))
		}
	}
}
