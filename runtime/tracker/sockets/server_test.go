package sockets

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestFramesAreRead has gorilla/websocket read the frames that are built here.
func TestFramesAreRead(t *testing.T) {
	var wire []byte
	sizes := []int{0, 1, 125, 126, 127, 1000, 65535, 65536, 200_000}
	for _, n := range sizes {
		wire = appendFrame(wire, opText, bytes.Repeat([]byte("x"), n))
	}
	wire = appendFrame(wire, opClose, websocket.FormatCloseMessage(1001, "drain"))
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := make([]byte, 4096)
		n, _ := server.Read(r)
		key := ""
		for line := range strings.SplitSeq(string(r[:n]), "\r\n") {
			if v, ok := strings.CutPrefix(line, "Sec-WebSocket-Key: "); ok {
				key = v
			}
		}
		accept := acceptOf(key)
		_, _ = io.WriteString(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+accept+"\r\n\r\n")
		_, _ = server.Write(wire)
		_, _ = io.Copy(io.Discard, server) // the client's close frame
	}()
	d := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return client, nil }}
	ws, resp, err := d.Dial("ws://tracker.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	for _, want := range sizes {
		kind, b, err := ws.ReadMessage()
		if err != nil || kind != websocket.TextMessage || len(b) != want {
			t.Fatalf("kind %d, %d bytes, want %d: %v", kind, len(b), want, err)
		}
	}
	if _, _, err = ws.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Fatalf("close: %v", err)
	}
	_ = ws.Close()
	<-done
}

// acceptOf answers a handshake (RFC 6455 §4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func TestMessagesAreReadWhole(t *testing.T) {
	c := &conn{server: &Server{budget: newBudget(1 << 20)}}
	defer func() {
		if n := c.server.budget.used.Load(); n != 0 || c.size() != 0 {
			t.Errorf("%d and %d bytes are still counted", n, c.size())
		}
	}()
	for _, n := range []int{0, 1, 4095, 4096, 4097, 60_000} {
		want := bytes.Repeat([]byte("x"), n)
		m, err := readMessage(bytes.NewReader(want), c)
		if err != nil || !bytes.Equal(m.Bytes, want) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		m.Release()
	}
	broken := errors.New("broken")
	if _, err := readMessage(io.MultiReader(strings.NewReader("x"), errorReader{broken}), c); !errors.Is(err, broken) {
		t.Fatalf("error %v", err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }
