package stun

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// tcpServer owns the TCP connections and limits them in total and per source.
type tcpServer struct {
	s *Server

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]netip.Addr
	sources map[[9]byte]int
}

func newTCPServer(s *Server) *tcpServer {
	return &tcpServer{s: s, conns: map[net.Conn]netip.Addr{}, sources: map[[9]byte]int{}}
}

// acceptPause is the pause after a failed accept: when the process is out of file
// descriptors, only the end of other connections helps.
const acceptPause = 50 * time.Millisecond

// serve accepts connections until ln is closed, and returns after the last of
// them has ended.
func (t *tcpServer) serve(ctx context.Context, ln *net.TCPListener) error {
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := ln.AcceptTCP()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accepting on %s: %w", ln.Addr(), err)
			}
			t.s.metrics.refused.WithLabelValues("accept").Inc()
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
		if reason := t.add(conn, from.Addr()); reason != "" {
			t.s.metrics.refused.WithLabelValues(reason).Inc()
			_ = conn.Close() // nothing was exchanged on it
			continue
		}
		running.Go(func() {
			defer t.remove(conn)
			t.s.serveConn(conn, from)
		})
	}
}

// add counts a connection, or returns the reason for refusing it.
func (t *tcpServer) add(conn net.Conn, from netip.Addr) (refused string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sourceKey(from)
	switch {
	case t.closed:
		return "closing"
	case len(t.conns) >= t.s.cfg.MaxTCPConns:
		return "total_limit"
	case t.sources[key] >= t.s.cfg.MaxTCPConnsPerSource:
		return "source_limit"
	}
	t.conns[conn] = from
	t.sources[key]++
	t.s.metrics.conns.Inc()
	return ""
}

// remove closes a connection and removes it from the counts.
func (t *tcpServer) remove(conn net.Conn) {
	_ = conn.Close() // its work is done
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sourceKey(t.conns[conn])
	delete(t.conns, conn)
	if t.sources[key]--; t.sources[key] <= 0 {
		delete(t.sources, key)
	}
	t.s.metrics.conns.Dec()
}

// closeAll closes every connection, present and future.
func (t *tcpServer) closeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for conn := range t.conns {
		_ = conn.Close() // wakes its reader, which removes it
	}
}

// serveConn answers the messages of one connection (RFC 8489 §6.2.2) until the
// client leaves, is silent for too long, sends too much, or sends anything that
// is not a Binding request: after a framing error the next message cannot be found.
func (s *Server) serveConn(conn net.Conn, from netip.AddrPort) {
	var (
		h    Handler
		m    = &s.metrics.tcp
		buf  = make([]byte, MaxMessage)
		out  = make([]byte, 0, MaxResponse)
		idle = s.cfg.TCPIdleTimeout()
	)
	for {
		// One deadline covers a whole message and its answer, so a client that
		// trickles bytes keeps its connection no longer than a silent one.
		if err := conn.SetDeadline(time.Now().Add(idle)); err != nil {
			return
		}
		n, err := readFrame(conn, buf)
		if err != nil {
			switch {
			case errors.Is(err, errFraming):
				m.messages[Malformed].Inc()
				s.metrics.refused.WithLabelValues("framing").Inc()
			case isTimeout(err):
				s.metrics.refused.WithLabelValues("idle").Inc()
			}
			return
		}
		m.received.Add(float64(n))
		if !s.limit.allow(from.Addr(), s.now()) {
			m.limited.Inc()
			s.metrics.refused.WithLabelValues("rate_limit").Inc()
			return
		}
		res, outcome := h.Handle(out[:0], buf[:n], from)
		m.messages[outcome].Inc()
		if len(res) == 0 {
			if outcome == Ignored {
				continue // an indication is legal and has no answer
			}
			return
		}
		if _, err := conn.Write(res); err != nil {
			return
		}
		m.sent.Add(float64(len(res)))
	}
}

var errFraming = errors.New("not a STUN frame")

// readFrame reads one message into buf: a header with the length, and the rest.
// It does not read a body that buf cannot hold.
func readFrame(r io.Reader, buf []byte) (int, error) {
	if _, err := io.ReadFull(r, buf[:headerSize]); err != nil {
		return 0, err
	}
	size := headerSize + int(binary.BigEndian.Uint16(buf[2:]))
	if buf[0]&0xC0 != 0 || binary.BigEndian.Uint32(buf[4:]) != magicCookie || size%4 != 0 || size > len(buf) {
		return 0, errFraming
	}
	_, err := io.ReadFull(r, buf[headerSize:size])
	return size, err
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
