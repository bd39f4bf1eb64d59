package lab

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
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

var loopbackAddresses atomic.Int64

// LoopbackAddress is an address of 127.0.0.0/8 to listen on, with port 0, that no other server of the tests has. A server
// that is stopped and started again on its port would otherwise meet one of another test there: the programs of all tests
// have the same swarms and keys, so that peers of two streams would mix.
func LoopbackAddress() string {
	n := loopbackAddresses.Add(1)
	return fmt.Sprintf("127.%d.%d.%d:0", 1+os.Getpid()%254, n/254%256, 1+n%254)
}

// Source is the n-th loopback address for clients, 127.0.n.1 with n from 1 to 255: programs count clients from different
// ones apart. Clients without one are at 127.0.0.1.
func Source(n int) net.IP { return net.IPv4(127, 0, byte(n), 1) }

// DialerFrom dials TCP from Source(n).
func DialerFrom(n int) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: Source(n)}, Timeout: 10 * time.Second}
}
