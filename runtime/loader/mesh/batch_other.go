//go:build !linux

package mesh

import "net"

type packetSender struct{ conn *net.UDPConn }

func newRunSender(conn *net.UDPConn) runSender { return packetSender{conn: conn} }

func (s packetSender) sendRun(r *packetRun) int {
	return eachPacket(r, func(packet []byte) {
		_, _ = s.conn.WriteToUDPAddrPort(packet, r.to) // a datagram may be lost
	})
}
