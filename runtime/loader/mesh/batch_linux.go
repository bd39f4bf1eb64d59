package mesh

import (
	"encoding/binary"
	"errors"
	"net"
	"syscall"
)

// From <linux/udp.h>.
const (
	solUDP     = 17
	udpSegment = 103
)

// segmentSender lets the kernel cut runs into packets (Linux 4.18 and later).
type segmentSender struct {
	conn    *net.UDPConn
	control []byte
	size    []byte // where the packet size stands in control
	off     bool
}

func newRunSender(conn *net.UDPConn) runSender {
	s := &segmentSender{conn: conn, control: make([]byte, syscall.CmsgSpace(2))}
	s.off = !canSegment(conn)
	// struct cmsghdr: the length is as wide as a pointer, level and type are 32 bits each.
	header := syscall.CmsgLen(0)
	if header == 16 {
		binary.NativeEndian.PutUint64(s.control, uint64(syscall.CmsgLen(2)))
	} else {
		binary.NativeEndian.PutUint32(s.control, uint32(syscall.CmsgLen(2)))
	}
	binary.NativeEndian.PutUint32(s.control[header-8:], solUDP)
	binary.NativeEndian.PutUint32(s.control[header-4:], udpSegment)
	s.size = s.control[header:]
	return s
}

func canSegment(conn *net.UDPConn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ok := false
	err = raw.Control(func(fd uintptr) {
		_, err := syscall.GetsockoptInt(int(fd), solUDP, udpSegment)
		ok = err == nil
	})
	return ok && err == nil
}

func (s *segmentSender) sendRun(r *packetRun) int {
	if r.count > 1 && !s.off {
		binary.NativeEndian.PutUint16(s.size, uint16(r.size)) // a packet's size
		_, _, err := s.conn.WriteMsgUDPAddrPort(r.buf, s.control, r.to)
		switch {
		case err == nil:
			return 1
		case errors.Is(err, syscall.EIO):
			s.off = true // the route's device cannot checksum segments
		case !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EMSGSIZE):
			return 1 // packets to an absent peer are lost either way
		}
	}
	return eachPacket(r, func(packet []byte) {
		_, _ = s.conn.WriteToUDPAddrPort(packet, r.to) // a datagram may be lost
	})
}
