package report

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// maxMessage is the longest message that is read, in bytes: an answer is far shorter.
const maxMessage = 64 << 10

// Socket is a WebSocket to a tracker that serves for reports alone: a viewer that uses no peers has no other. It is opened
// for the first report and stays open, since the tracker counts viewers by their sockets.
type Socket struct {
	URL string

	mu      sync.Mutex
	conn    *websocket.Conn
	answers chan []byte
	dead    chan struct{}
}

// Report sends a report and returns the answer; ok is false if the tracker cannot be reached or does not answer before ctx
// ends.
func (s *Socket) Report(ctx context.Context, report []byte) (answer []byte, ok bool) {
	conn, answers, dead := s.open(ctx)
	if conn == nil {
		return nil, false
	}
	select {
	case <-answers: // to a report that is not waited for any more
	default:
	}
	deadline, _ := ctx.Deadline() // zero: none
	_ = conn.SetWriteDeadline(deadline)
	if conn.WriteMessage(websocket.TextMessage, telemetry.FrameReport(report)) != nil {
		s.Close()
		return nil, false
	}
	select {
	case answer = <-answers:
		return answer, true
	case <-dead:
	case <-ctx.Done():
	}
	return nil, false
}

// IsOpen reports whether the socket was opened and not closed.
func (s *Socket) IsOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// Close closes the socket; the next report opens another one.
func (s *Socket) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		_ = s.conn.Close() // its reader ends
		<-s.dead
		s.conn = nil
	}
}

func (s *Socket) open(ctx context.Context) (*websocket.Conn, chan []byte, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		select {
		case <-s.dead:
			_ = s.conn.Close() // the reader has ended
		default:
			return s.conn, s.answers, s.dead
		}
	}
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: requestTimeout}
	conn, resp, err := dialer.DialContext(ctx, s.URL, nil)
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close() // the dialer has read what it keeps
	}
	if err != nil {
		s.conn = nil
		return nil, nil, nil
	}
	conn.SetReadLimit(maxMessage)
	s.conn, s.answers, s.dead = conn, make(chan []byte, 1), make(chan struct{})
	go read(conn, s.answers, s.dead)
	return s.conn, s.answers, s.dead
}

// silence is after what time without a message or ping the socket counts as dead.
const silence = 75 * time.Second

// read answers pings and passes answers on until the connection ends.
func read(conn *websocket.Conn, answers chan<- []byte, dead chan<- struct{}) {
	defer close(dead)
	ping := conn.PingHandler()
	conn.SetPingHandler(func(data string) error {
		_ = conn.SetReadDeadline(time.Now().Add(silence)) // fails only on a closed socket
		return ping(data)
	})
	for {
		_ = conn.SetReadDeadline(time.Now().Add(silence)) // fails only on a closed socket
		_, b, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if answer, ok := telemetry.Answer(b); ok {
			select {
			case answers <- answer:
			default: // one that is not waited for
			}
		}
	}
}
