//go:build !linux

package stun

import (
	"net"
	"syscall"
)

var (
	errAddressFamily       error = syscall.EAFNOSUPPORT
	errAddressNotAvailable error = syscall.EADDRNOTAVAIL
)

// reusePort is nil where several sockets cannot share the load of one port.
var reusePort func(network, address string, raw syscall.RawConn) error

// packetInfoSize is zero: without control messages the system chooses the
// address that an answer comes from.
var packetInfoSize = 0

func enablePacketInfo(*net.UDPConn, string) error { return nil }

func replyInfo([]byte) []byte { return nil }
