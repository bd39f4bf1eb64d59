package stun

import (
	"encoding/binary"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

var (
	errAddressFamily       error = unix.EAFNOSUPPORT
	errAddressNotAvailable error = unix.EADDRNOTAVAIL
)

// reusePort lets several sockets share one port (SO_REUSEPORT).
var reusePort = func(_, _ string, raw syscall.RawConn) error {
	var set error
	err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if err != nil {
		return err
	}
	return set
}

// packetInfoSize is room for the control message with the destination address.
var packetInfoSize = unix.CmsgSpace(unix.SizeofInet6Pktinfo)

// enablePacketInfo makes conn report the destination address of each datagram: a
// client accepts an answer only from the address that it sent its request to, and
// on a host with several addresses the kernel would choose one by its routes.
func enablePacketInfo(conn *net.UDPConn, family string) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		if family == "4" {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1)
		} else {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1)
		}
	})
	if err != nil {
		return err
	}
	return set
}

// replyInfo converts, in place, the control message of a received datagram into
// the one that sends the answer from the same address. It returns nil if there
// is no such control message.
func replyInfo(oob []byte) []byte {
	const header = unix.SizeofCmsghdr
	if len(oob) < header {
		return nil
	}
	level := binary.NativeEndian.Uint32(oob[header-8:])
	kind := binary.NativeEndian.Uint32(oob[header-4:])
	switch {
	case level == unix.IPPROTO_IP && kind == unix.IP_PKTINFO && len(oob) >= header+unix.SizeofInet4Pktinfo:
		// struct in_pktinfo: interface index, local address, destination address.
		// The index is cleared so that routing stays free; the local address is
		// what the answer is sent from, the destination is ignored.
		info := oob[header : header+unix.SizeofInet4Pktinfo]
		clear(info[:4])
		return oob[:unix.CmsgSpace(unix.SizeofInet4Pktinfo)]
	case level == unix.IPPROTO_IPV6 && kind == unix.IPV6_PKTINFO && len(oob) >= header+unix.SizeofInet6Pktinfo:
		// struct in6_pktinfo: address, interface index; the index is needed to
		// answer from a link-local address.
		info := oob[header : header+unix.SizeofInet6Pktinfo]
		if linkLocal := info[0] == 0xfe && info[1]&0xc0 == 0x80; !linkLocal {
			clear(info[16:20])
		}
		return oob[:unix.CmsgSpace(unix.SizeofInet6Pktinfo)]
	}
	return nil
}
