package mesh

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func TestMain(m *testing.M) {
	if os.Getenv(benchChild) != "" {
		os.Exit(runBenchChild())
	}
	goleak.VerifyTestMain(m)
}

const testHash = identity.InfoHash("AAAAAAAAAAAAAAAAAAAA")

func peerID(i int) identity.PeerID { return identity.PeerID(fmt.Sprintf("-PV0001-%012d", i)) }

// recorder keeps what a Handler hears.
type recorder struct {
	mu       sync.Mutex
	peers    []*Peer
	closed   []error
	onOpen   func(*Peer)
	onMsg    func(*Peer, []byte)
	messages atomic.Int64
	bytes    atomic.Int64
}

func (r *recorder) PeerOpened(p *Peer) {
	r.mu.Lock()
	r.peers = append(r.peers, p)
	r.mu.Unlock()
	if r.onOpen != nil {
		r.onOpen(p)
	}
}

func (r *recorder) PeerMessage(p *Peer, msg []byte) {
	if r.onMsg != nil {
		r.onMsg(p, msg)
	}
	r.bytes.Add(int64(len(msg)))
	r.messages.Add(1)
}

func (r *recorder) PeerClosed(_ *Peer, cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = append(r.closed, cause)
}

func (r *recorder) first() *Peer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.peers) == 0 {
		return nil
	}
	return r.peers[0]
}

func (r *recorder) causes() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]error(nil), r.closed...)
}

// until waits for a condition that other goroutines bring about.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("MESH_TEST_LOG") == "" {
		return nil
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func newTestNode(t testing.TB, cfg NodeConfig) *Node {
	t.Helper()
	cfg.Loopback = true
	n, err := NewNode(cfg, testLog(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func join(t testing.TB, n *Node, r *relay, i int, h Handler, change ...func(*SwarmConfig)) *Swarm {
	t.Helper()
	cfg := SwarmConfig{InfoHash: testHash, PeerID: peerID(i), Trackers: []string{r.url()}, MaxPeers: 200, Handler: h}
	for _, f := range change {
		f(&cfg)
	}
	s, err := n.Join(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func answersOnly(c *SwarmConfig) { c.Offers = -1 }

// pair connects two viewers.
func pair(t testing.TB, cfgA, cfgB NodeConfig, a, b *recorder) (*Peer, *Peer) {
	t.Helper()
	r := newRelay(t)
	na, nb := newTestNode(t, cfgA), newTestNode(t, cfgB)
	join(t, na, r, 1, a, answersOnly)
	until(t, "first announce", func() bool { return r.count(signaling.EventStarted) == 1 })
	join(t, nb, r, 2, b)
	until(t, "both ends open", func() bool { return a.first() != nil && b.first() != nil })
	return a.first(), b.first()
}

func TestTwoPeersExchangeMessages(t *testing.T) {
	var a, b recorder
	got := make(chan string, 4)
	b.onMsg = func(_ *Peer, msg []byte) { got <- string(msg) }
	a.onMsg = func(p *Peer, msg []byte) { _ = p.Send(append([]byte("echo "), msg...)) }
	pa, pb := pair(t, NodeConfig{}, NodeConfig{}, &a, &b)
	if pa.ID() != peerID(2) || pb.ID() != peerID(1) {
		t.Fatalf("ids are %q and %q", pa.ID(), pb.ID())
	}
	if pa.Outgoing() || !pb.Outgoing() {
		t.Error("the second peer made the offer")
	}
	for _, text := range []string{"hello", "", strings.Repeat("x", 65530)} {
		if err := pb.Send([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if reply := <-got; reply != "echo "+text {
			t.Fatalf("got %d bytes back for %d", len(reply), len(text))
		}
	}
	if err := pb.Send(make([]byte, 65536)); !errors.Is(err, ErrMessageSize) {
		t.Errorf("sending 65536 bytes: %v", err)
	}
	if got := pa.MaxMessageSize(); got != DefaultMaxMessageSize {
		t.Errorf("largest message is %d", got)
	}
}

func TestBulkBothWays(t *testing.T) {
	const chunks, size = 400, 65535
	var a, b recorder
	hashes := [2]chan [32]byte{make(chan [32]byte, 1), make(chan [32]byte, 1)}
	for i, r := range []*recorder{&a, &b} {
		h, n := sha256.New(), 0
		r.onMsg = func(_ *Peer, msg []byte) {
			h.Write(msg)
			if n++; n == chunks {
				hashes[i] <- [32]byte(h.Sum(nil))
			}
		}
	}
	pa, pb := pair(t, NodeConfig{}, NodeConfig{Listen: "127.0.0.1:0"}, &a, &b)
	var want [2][32]byte
	var wg sync.WaitGroup
	for i, p := range []*Peer{pb, pa} {
		wg.Go(func() {
			h := sha256.New()
			for c := range chunks {
				msg := bytes.Repeat([]byte{byte(c), byte(i)}, size/2+1)[:size]
				h.Write(msg)
				if err := p.SendWait(t.Context(), msg); err != nil {
					t.Error(err)
					return
				}
				if buffered := p.Buffered(); buffered > DefaultQueueBytes {
					t.Errorf("%d bytes are buffered", buffered)
				}
			}
			want[i] = [32]byte(h.Sum(nil))
		})
	}
	wg.Wait()
	for i := range want {
		if got := <-hashes[i]; got != want[i] {
			t.Errorf("direction %d: other bytes arrived", i)
		}
	}
}

func TestMuxSeederServesSixtyFourViewers(t *testing.T) {
	const viewers = 64
	r := newRelay(t)
	seeder := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	var sr recorder
	sr.onOpen = func(p *Peer) { _ = p.Send([]byte("announcement")) }
	ss := join(t, seeder, r, 0, &sr, answersOnly)
	until(t, "seeder announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	// Viewers offer to the seeder only: they are alone with it in the relay's eyes as long as they are held.
	r.only(peerID(0))
	vr := make([]recorder, viewers)
	for i := range viewers {
		n := newTestNode(t, NodeConfig{})
		join(t, n, r, i+1, &vr[i], func(c *SwarmConfig) { c.Offers = 1 })
	}
	until(t, "64 of 64 viewers open", func() bool { return ss.Peers() == viewers })
	until(t, "each viewer has heard from the seeder", func() bool {
		for i := range vr {
			if vr[i].messages.Load() != 1 {
				return false
			}
		}
		return true
	})
}

func TestPeerThatNeverReadsIsCutOffAlone(t *testing.T) {
	r := newRelay(t)
	seeder := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0", WriteStall: 1500 * time.Millisecond})
	var sr recorder
	join(t, seeder, r, 0, &sr, answersOnly)
	until(t, "seeder announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	r.only(peerID(0))
	block := make(chan struct{})
	release := sync.OnceFunc(func() { close(block) })
	deaf, good := recorder{onMsg: func(*Peer, []byte) { <-block }}, recorder{}
	nd, ng := newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{})
	t.Cleanup(release)
	join(t, nd, r, 1, &deaf)
	join(t, ng, r, 2, &good)
	until(t, "both viewers open", func() bool { sr.mu.Lock(); defer sr.mu.Unlock(); return len(sr.peers) == 2 })
	var toDeaf, toGood *Peer
	for _, p := range sr.peers {
		if p.ID() == peerID(1) {
			toDeaf = p
		} else {
			toGood = p
		}
	}
	msg := make([]byte, 65535)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for {
			if err := toDeaf.SendWait(context.Background(), msg); err != nil {
				if !errors.Is(err, ErrPeerClosed) {
					t.Error(err)
				}
				return
			}
		}
	})
	sent := int64(0)
	for alive := true; alive; {
		select {
		case <-toDeaf.Done():
			alive = false
		default:
			if err := toGood.SendWait(t.Context(), msg); err != nil {
				t.Fatal(err)
			}
			sent += int64(len(msg))
		}
	}
	until(t, "the good viewer has everything", func() bool { return good.bytes.Load() == sent })
	until(t, "the handler heard why", func() bool {
		c := sr.causes()
		return len(c) == 1 && errors.Is(c[0], ErrWriteStall)
	})
	release()
}

func TestSendSaysWhenTheQueueIsFull(t *testing.T) {
	block := make(chan struct{})
	release := sync.OnceFunc(func() { close(block) })
	a := recorder{onMsg: func(*Peer, []byte) { <-block }}
	var b recorder
	_, pb := pair(t, NodeConfig{}, NodeConfig{QueueBytes: 70000}, &a, &b)
	t.Cleanup(release)
	msg := make([]byte, 60000)
	var err error
	for range 100 {
		if err = pb.Send(msg); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrQueueFull) {
		t.Fatalf("error is %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	for err = nil; err == nil; {
		err = pb.SendWait(ctx, msg)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("SendWait gives %v", err)
	}
	release()
}

func TestCloseReachesBothEnds(t *testing.T) {
	var a, b recorder
	pa, pb := pair(t, NodeConfig{}, NodeConfig{}, &a, &b)
	why := errors.New("enough")
	pa.Close(why)
	until(t, "both handlers heard", func() bool { return len(a.causes()) == 1 && len(b.causes()) == 1 })
	if got := a.causes()[0]; !errors.Is(got, why) {
		t.Errorf("closing end heard %v", got)
	}
	if got := b.causes()[0]; !errors.Is(got, ErrRemoteClosed) && !errors.Is(got, ErrConnectionLost) {
		t.Errorf("other end heard %v", got)
	}
	<-pb.Done()
	if err := pb.Send([]byte("x")); !errors.Is(err, ErrPeerClosed) {
		t.Errorf("sending after close: %v", err)
	}
	until(t, "both forgot", func() bool { return pa.Swarm().Peers() == 0 && pb.Swarm().Peers() == 0 })
}

func TestWithdrawKeepsOpenPeers(t *testing.T) {
	var a, b recorder
	pa, pb := pair(t, NodeConfig{}, NodeConfig{}, &a, &b)
	pb.Swarm().Withdraw()
	if err := pb.Send([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	until(t, "message after withdrawing", func() bool { return a.messages.Load() == 1 })
	pb.Swarm().Leave()
	until(t, "other end heard", func() bool { return len(a.causes()) == 1 })
	if c := b.causes(); len(c) != 1 || !errors.Is(c[0], ErrLeft) {
		t.Errorf("leaving end heard %v", c)
	}
	<-pa.Done()
}

func TestStoppedIsSentOnceToTheTracker(t *testing.T) {
	r := newRelay(t)
	n := newTestNode(t, NodeConfig{})
	s := join(t, n, r, 1, &recorder{})
	until(t, "announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	s.Withdraw()
	s.Leave()
	until(t, "said goodbye", func() bool { return r.count(signaling.EventStopped) == 1 && r.socketCount() == 0 })
}

func TestTrackerRestart(t *testing.T) {
	r := newRelay(t)
	na, nb := newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{})
	var a, b recorder
	sa := join(t, na, r, 1, &a, answersOnly)
	until(t, "announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	r.stop()
	r.start()
	until(t, "announced again without event", func() bool { return r.count(signaling.EventNone) >= 1 })
	join(t, nb, r, 2, &b)
	until(t, "peers meet at the new tracker", func() bool { return sa.Peers() == 1 })
	r.stop()
	r.start()
	if err := a.first().Send([]byte("x")); err != nil {
		t.Errorf("a tracker restart cut a connection: %v", err)
	}
	if r.count(signaling.EventStarted) != 2 {
		t.Errorf("started was sent %d times by two peers", r.count(signaling.EventStarted))
	}
}

func TestSwarmsShareOneSocket(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprint(own), func(t *testing.T) {
			r := newRelay(t)
			n := newTestNode(t, NodeConfig{OneSocketPerSwarm: own, Token: func(tracker string) string {
				if tracker != r.url() {
					return "of " + tracker
				}
				return "secret"
			}})
			for i := range 3 {
				join(t, n, r, i, &recorder{}, func(c *SwarmConfig) {
					c.InfoHash = identity.InfoHash(fmt.Sprintf("hash%016d", i))
				})
			}
			until(t, "all announced", func() bool { return r.count(signaling.EventStarted) == 3 })
			want := 1
			if own {
				want = 3
			}
			if got := r.socketCount(); got != want {
				t.Errorf("%d sockets, want %d", got, want)
			}
			if r.auth[0] != "Bearer secret" {
				t.Errorf("token was sent as %q", r.auth[0])
			}
		})
	}
}

func TestBothEndsOfferAndOneConnectionStays(t *testing.T) {
	for round := range 8 {
		r := newRelay(t)
		r.hold = true
		na, nb := newTestNode(t, NodeConfig{}), newTestNode(t, NodeConfig{})
		var a, b recorder
		sa, sb := join(t, na, r, 1, &a), join(t, nb, r, 2, &b)
		until(t, "both announced", func() bool { return r.count(signaling.EventStarted) == 2 })
		r.mu.Lock()
		r.hold = false
		r.mu.Unlock()
		// Both announce again at the same time, each with offers for the other.
		var wg sync.WaitGroup
		for _, s := range []*Swarm{sa, sb} {
			wg.Go(func() { s.post(func() { s.memberships[0].announce() }) })
		}
		wg.Wait()
		until(t, "one connection", func() bool { return sa.Peers() == 1 && sb.Peers() == 1 })
		until(t, "nothing else pending", func() bool { return na.connections.Load() == 1 && nb.connections.Load() == 1 })
		// A peer counts before its owner hears of it.
		until(t, "a knows its peer", func() bool { return a.first() != nil })
		if err := a.first().Send([]byte("x")); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

func TestMaxPeers(t *testing.T) {
	r := newRelay(t)
	seeder := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0"})
	ss := join(t, seeder, r, 0, &recorder{}, answersOnly, func(c *SwarmConfig) { c.MaxPeers = 2 })
	until(t, "seeder announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	r.only(peerID(0))
	for i := range 5 {
		join(t, newTestNode(t, NodeConfig{}), r, i+1, &recorder{})
	}
	until(t, "all announced", func() bool { return r.count(signaling.EventStarted) == 6 })
	until(t, "two peers", func() bool { return ss.Peers() == 2 })
	until(t, "the others were refused", func() bool {
		// At once, or when their turn came.
		return counter(t, seeder.metrics.dropped.WithLabelValues(reasonFull))+counter(t, seeder.metrics.failed.WithLabelValues(reasonFull)) == 3
	})
	if ss.Peers() != 2 {
		t.Errorf("%d peers", ss.Peers())
	}
}

// TestAFullNodeRefusesBeforeTheHandshake: the limit is that of the node over all of its swarms, which have room themselves.
func TestAFullNodeRefusesBeforeTheHandshake(t *testing.T) {
	r := newRelay(t)
	opened := &recorder{}
	seeder := newTestNode(t, NodeConfig{Listen: "127.0.0.1:0", MaxPeers: 2})
	ss := join(t, seeder, r, 0, opened, answersOnly)
	until(t, "seeder announced", func() bool { return r.count(signaling.EventStarted) == 1 })
	r.only(peerID(0))
	for i := range 2 {
		join(t, newTestNode(t, NodeConfig{}), r, i+1, &recorder{})
	}
	until(t, "two peers", func() bool { return ss.Peers() == 2 })
	late := []*recorder{{}, {}}
	for i, h := range late {
		join(t, newTestNode(t, NodeConfig{}), r, i+3, h)
	}
	until(t, "the others were refused", func() bool {
		return counter(t, seeder.metrics.dropped.WithLabelValues(reasonFull)) == 2
	})
	if ss.Peers() != 2 || len(opened.causes()) != 0 {
		t.Errorf("%d peers, %v", ss.Peers(), opened.causes())
	}
	for i, h := range late {
		if h.first() != nil {
			t.Errorf("late peer %d: a connection was opened", i)
		}
	}
}

func TestOffersAreBoundedAndExpire(t *testing.T) {
	r := newRelay(t)
	n := newTestNode(t, NodeConfig{MaxOffers: 7})
	s := join(t, n, r, 1, &recorder{})
	join(t, n, r, 2, &recorder{}, func(c *SwarmConfig) { c.InfoHash = "BBBBBBBBBBBBBBBBBBBB" })
	until(t, "both announced", func() bool { return r.count(signaling.EventStarted) == 2 })
	until(t, "offers made", func() bool { return n.offers.Load() == 7 })
	expired := make(chan int)
	s.post(func() {
		m := s.memberships[0]
		had := len(m.offers)
		for id := range m.offers {
			m.expired(id)
		}
		expired <- had
	})
	had := <-expired
	if got := n.offers.Load(); got != int64(7-had) {
		t.Errorf("%d offers are outstanding after %d of 7 expired", got, had)
	}
	if got := counter(t, n.metrics.failed.WithLabelValues(reasonUnanswered)); int(got) != had {
		t.Errorf("%v expired offers counted, want %d", got, had)
	}
}
