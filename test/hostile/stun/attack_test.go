package stun

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/stun"
	"github.com/p2pstream/p2pstream/runtime/stun/config"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// The limits of the server under attack: lower than the defaults for one source, and less time for silent connections.
const (
	ratePerSource  = 200
	burstPerSource = 1000
	tcpPerSource   = 128
	tcpIdle        = 2 * time.Second
)

// attack is one way to misuse a STUN server.
type attack struct {
	name string
	run  func(t *testing.T, s *scene)
}

// scene is the stream whose STUN server is attacked.
type scene struct {
	*stream.Stream
}

// TestSTUN attacks one server in all ways, while other clients send ordinary requests and viewers watch.
func TestSTUN(t *testing.T) {
	s := &scene{stream.Start(t, stream.Options{STUN: func(c *config.Config) {
		c.RatePerSource, c.BurstPerSource, c.TCPIdleTimeoutMs = ratePerSource, burstPerSource, int(tcpIdle.Milliseconds())
	}})}
	bystanders := bystander.Watch(t, s.Stream, 2)
	for _, list := range [][]attack{datagrams, connections} {
		for _, a := range list {
			t.Run(a.name, func(t *testing.T) {
				watch := bystander.Measure(t, s.STUN)
				s.beside(t, func() { a.run(t, s) })
				watch.Check(t, bystander.Bounds{Memory: 24 << 20, Log: 1 << 10})
			})
		}
	}
	lab.Eventually(t, 20*time.Second, "connections to end", func() bool {
		return s.STUN.Metrics(t).Sum("p2pstream_stun_tcp_connections") == 0
	})
	bystanders.Unharmed(t)
}

// beside runs an attack while other clients ask for their addresses, over UDP and TCP.
func (s *scene) beside(t *testing.T, attack func()) {
	done := make(chan struct{})
	var asking sync.WaitGroup
	for name, probe := range map[string]func(context.Context, string) (netip.AddrPort, error){"UDP": stun.Probe, "TCP": stun.ProbeTCP} {
		asking.Go(func() {
			tick := time.NewTicker(100 * time.Millisecond)
			defer tick.Stop()
			for last := false; ; {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				mapped, err := probe(ctx, s.STUNListen)
				cancel()
				if err != nil || mapped.Addr() != netip.MustParseAddr("127.0.0.1") {
					t.Errorf("the answer to a bystander over %s: %v, %v", name, mapped, err)
				}
				if last {
					return
				}
				select {
				case <-done:
					last = true
				case <-tick.C:
				}
			}
		})
	}
	defer asking.Wait()
	defer close(done)
	attack()
}

// counted fails the test unless the counter grows by at least want while f runs, or soon after.
func (s *scene) counted(t testing.TB, want float64, f func(), name string, labels ...string) {
	t.Helper()
	name = "p2pstream_stun_" + name
	before := s.STUN.Metrics(t).Sum(name, labels...)
	f()
	lab.Eventually(t, 10*time.Second, fmt.Sprintf("%s%v to grow by %v", name, labels, want), func() bool {
		return s.STUN.Metrics(t).Sum(name, labels...)-before >= want
	})
}

// origins numbers the addresses that attacks come from.
var origins atomic.Int64

func newOrigin() int { return int(origins.Add(1)) + 1 }

// udp is a socket of an attacker.
func (s *scene) udp(t testing.TB) *net.UDPConn {
	t.Helper()
	to := lab.Must[*net.UDPAddr](t)(net.ResolveUDPAddr("udp", s.STUNListen))
	c := lab.Must[*net.UDPConn](t)(net.DialUDP("udp", &net.UDPAddr{IP: lab.Source(newOrigin())}, to))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// tcp is a connection of an attacker.
func (s *scene) tcp(t testing.TB, from int) net.Conn {
	t.Helper()
	c := lab.Must[net.Conn](t)(lab.DialerFrom(from).Dial("tcp", s.STUNListen))
	t.Cleanup(func() { _ = c.Close() })
	return c
}
