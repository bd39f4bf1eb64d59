package mesh

import (
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// maxCandidates is at how many addresses one connection looks for its other end, over its whole life: those in its
// description, and those that its checks came from. A peer that knows a connection's password can send checks from ever more
// addresses, including forged ones; each would be remembered, and be sent checks in turn.
const maxCandidates = 64

// reach bounds the addresses of one connection.
type reach struct {
	left    atomic.Int32
	refused prometheus.Counter
}

func newReach(m *metrics) *reach {
	r := &reach{refused: m.candidatesRefused}
	r.left.Store(maxCandidates)
	return r
}

// allows is asked once for each new address.
func (r *reach) allows(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	if ok && reachable(a) && r.left.Add(-1) >= 0 {
		return true
	}
	r.refused.Inc()
	return false
}
