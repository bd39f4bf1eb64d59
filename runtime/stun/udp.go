package stun

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// serveUDP answers the datagrams of one socket until it is closed.
func (s *Server) serveUDP(ctx context.Context, conn *net.UDPConn) error {
	var (
		h   Handler
		m   = &s.metrics.udp
		buf = make([]byte, MaxMessage+1) // one more, to detect longer datagrams
		oob = make([]byte, packetInfoSize)
		out = make([]byte, 0, MaxResponse)
	)
	for {
		n, oobn, _, from, err := conn.ReadMsgUDPAddrPort(buf, oob)
		if err != nil {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the socket was closed because the server stops
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("reading %s: %w", conn.LocalAddr(), err)
			}
			// ICMP errors of earlier answers surface here; they concern one
			// client, not the socket.
			s.metrics.udpErrs.WithLabelValues("read").Inc()
			continue
		}
		m.received.Add(float64(n))
		if !s.limit.allow(from.Addr(), s.now()) {
			m.limited.Inc()
			continue
		}
		res, outcome := h.Handle(out[:0], buf[:n], from)
		m.messages[outcome].Inc()
		if len(res) == 0 {
			continue
		}
		if _, _, err := conn.WriteMsgUDPAddrPort(res, replyInfo(oob[:oobn]), from); err != nil {
			s.metrics.udpErrs.WithLabelValues("write").Inc()
			continue
		}
		m.sent.Add(float64(len(res)))
	}
}
