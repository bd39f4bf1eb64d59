package foreign

import (
	"net"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/test/foreign/strict"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// TestSeveralTrackers announces to ours, to a strict one and to one that is down, all at once. Every peer hears of
// every other one twice, and no pair may connect twice because of it.
func TestSeveralTrackers(t *testing.T) {
	t.Parallel()
	machine.Take(t, 1)
	ours := lab.Must[*tracker.Server](t)(tracker.New(tracker.Config{
		Listen: "127.0.0.1:0", SeederToken: lab.Token, DrainPeriod: tracker.Duration(time.Millisecond),
	}, lab.Logger("tracker"), prometheus.NewRegistry()))
	inprocess.Run(t, ours)
	other := strict.Start(t, strict.Config{Interval: 5 * time.Second})
	down := lab.Must[net.Listener](t)(net.Listen("tcp", lab.LoopbackAddress()))
	_ = down.Close() // its address is what is wanted, which no other server will have
	a := newAudience(t, func(c *seeder.Config) {
		c.Token, c.Trackers, c.ForeignTrackers = lab.Token, c.Trackers[:1], c.Trackers[1:]
	},
		"ws://"+ours.Addr().String()+"/announce", other.URL(), "ws://"+down.Addr().String())
	a.settle()
	a.played(12 * time.Second)
	a.check()
	regs := append(a.registries(), a.seeded)
	// A pair that connects twice closes one of the two connections, or each end closes the other's. Connections that a peer
	// closes because the other end does not deliver, as happens on a machine that is too busy, are not counted.
	open := sum(t, "peers", "", regs...)
	closed := sum(t, "peers_closed_total", "remote", regs...) - sum(t, "peers_closed_total", "local", regs...)
	if twice := sum(t, "attempts_failed_total", "duplicate", regs...); twice != 0 || closed > 0 {
		t.Errorf("%.0f connections were one too many, %.0f were closed by the other end, %.0f ends are open", twice, closed, open)
	}
	// The two ends of each connection; no peer is in a swarm alone.
	if open < 2*residents {
		t.Errorf("%.0f connections at both ends", open)
	}
	if st := other.Stats(); st.ForCause() != 0 {
		t.Errorf("the strict tracker closed sockets: %v", st.Closed)
	}
	t.Logf("%.0f ends of connections; %.0f offers and answers were of no use", open, sum(t, "signals_dropped_total", "", regs...))
}
