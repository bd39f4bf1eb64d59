package lab

import (
	"net"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/freeport"
)

// FreeAddress returns 127.0.0.1:port, free for TCP and UDP, that no other caller in this process was given.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return FreeAddressOn(t, "127.0.0.1")
}

// FreeAddressOn is FreeAddress for an IP address of this machine.
func FreeAddressOn(t testing.TB, host string) string {
	t.Helper()
	return Must[string](t)(freeport.On(host))
}

// Source is the n-th loopback address for clients, 127.0.n.1 with n from 1 to 255: programs count clients from different
// ones apart. Clients without one are at 127.0.0.1.
func Source(n int) net.IP { return net.IPv4(127, 0, byte(n), 1) }

// DialerFrom dials TCP from Source(n).
func DialerFrom(n int) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: Source(n)}, Timeout: 10 * time.Second}
}
