package stun

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// cutOff fails the test unless the server closes the connection soon.
func cutOff(t testing.TB, c net.Conn, within time.Duration) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(within))
	var ne net.Error
	if _, err := io.Copy(io.Discard, c); errors.As(err, &ne) && ne.Timeout() {
		t.Errorf("not cut off in %v", within)
	}
}

// patience is ten times the time that a silent connection has.
const patience = 10 * tcpIdle

// connections are attacks over TCP.
var connections = []attack{
	{name: "garbage over TCP", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		all := []string{"GET / HTTP/1.1\r\nHost: stun\r\n\r\n", "null null null null null", strings.Repeat("\xff", 5000), strings.Repeat("\x00", 20),
			string(length(message(bindingRequest, 1), 0xfffc)), string(length(message(bindingRequest, 1), 3)), string(message(0x0003, 1))}
		s.counted(t, 5, func() {
			for _, b := range all {
				c := s.tcp(t, from)
				_, _ = io.WriteString(c, b)
				cutOff(t, c, patience)
			}
		}, "tcp_refused_total", `reason="framing"`)
	}},
	{name: "half-open and slow connections", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		s.counted(t, 60, func() {
			var all sync.WaitGroup
			for i := range 60 {
				c := s.tcp(t, from)
				all.Go(func() {
					switch i % 3 {
					case 0: // says nothing
					case 1: // the beginning of a request
						_, _ = c.Write(message(bindingRequest, 1)[:10])
					case 2: // a byte at a time
						slow := make(chan struct{})
						defer func() { <-slow }()
						go func() {
							defer close(slow)
							pace := time.NewTicker(tcpIdle / 8)
							defer pace.Stop()
							for _, b := range message(bindingRequest, 1) {
								if _, err := c.Write([]byte{b}); err != nil {
									return
								}
								<-pace.C
							}
						}()
					}
					cutOff(t, c, patience)
				})
			}
			all.Wait()
		}, "tcp_refused_total", `reason="idle"`)
	}},
	{name: "too many connections of one source", run: func(t *testing.T, s *scene) {
		from := newOrigin()
		s.counted(t, 50, func() {
			for range tcpPerSource + 50 {
				s.tcp(t, from)
			}
		}, "tcp_refused_total", `reason="source_limit"`)
	}},
	{name: "a flood over TCP that reads nothing", run: func(t *testing.T, s *scene) {
		c := s.tcp(t, newOrigin())
		many := []byte(strings.Repeat(string(message(bindingRequest, 1)), 100))
		s.counted(t, 1, func() {
			_ = c.SetWriteDeadline(time.Now().Add(patience))
			for range 1000 {
				if _, err := c.Write(many); err != nil {
					break
				}
			}
			cutOff(t, c, patience)
		}, "tcp_refused_total", `reason="rate_limit"`)
	}},
}
