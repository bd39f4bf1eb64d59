package swarm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// crowd is a swarm of n viewers and a few seeders in which every peer has announced twice and answered all offers.
func crowd(b *testing.B, n int) *world {
	w := newWorld(b, Defaults())
	for i := range 1 + n/200 {
		w.handle(w.sock(fmt.Sprint("S", i)), w.announceMessage(n+i, 0))
	}
	for range 2 {
		for i := range n {
			w.announce(fmt.Sprint("V", i), i, 5)
			if i%10 == 0 {
				for j := i; j > i-10 && j >= 0; j-- {
					w.answerAll(fmt.Sprint("V", j), j)
				}
			}
		}
		w.now = w.now.Add(10 * time.Second)
	}
	w.inbox = map[*Socket][]signaling.TrackerMessage{}
	return w
}

// BenchmarkRoute routes the five offers of one newcomer; the swarm does not change. The time must not grow with the
// swarm.
func BenchmarkRoute(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := crowd(b, n)
			s := w.core.swarms[hashOne]
			p := s.join(peerID(1_000_000), &Socket{})
			rnd := rand.New(rand.NewPCG(1, 2))
			var dst []*Peer
			b.ReportAllocs()
			for b.Loop() {
				dst = Route(s, p, 5, w.now, rnd, dst[:0])
			}
			if len(dst) == 0 {
				b.Fatal("no recipient found")
			}
		})
	}
}

// BenchmarkJoinCycle is a viewer that joins, with everything that follows from it, through parser and core: one
// announce with five offers of 733 bytes, the offers passed on, their answers parsed and passed on; and the oldest
// member leaves, so that the swarm keeps its size. That is a browser's announce of 17 messages without its sockets,
// and more than an announce of a member, whose offers mostly find no new peers.
func BenchmarkJoinCycle(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkJoin(b, n) })
	}
}

func benchmarkJoin(b *testing.B, n int) {
	core := NewCore(Defaults(), nil, rand.New(rand.NewPCG(1, 2)))
	now := began
	line := "a=candidate:1 1 udp 2122265343 192.0.2.10 39155 typ host\r\n"
	sdp := signaling.AppendText(nil, strings.Repeat(line, 13)[:733])
	lim := signaling.Limits{}.WithDefaults()
	type viewer struct {
		sock *Socket
		id   signaling.ID
	}
	viewers := make([]viewer, n)
	var buf []byte
	var m signaling.ClientMessage
	var relayed []Delivery
	var ids [5][128]byte
	offers := make([]signaling.Offer, 5)
	answered := 0
	join := func(k int) {
		now = now.Add(20 * time.Second / time.Duration(n))
		v := &viewers[k%n]
		if v.sock != nil {
			core.Close(v.sock)
		}
		*v = viewer{&Socket{}, signaling.ID{byte(k), byte(k >> 8), byte(k >> 16), 'x'}}
		v.sock.Ref = v
		for j := range offers {
			id := v.id
			id[19] = byte(j)
			offers[j] = signaling.Offer{SDP: sdp, ID: signaling.AppendID(ids[j][:0], id)}
		}
		buf = signaling.AppendAnnounce(buf[:0], signaling.Announce{InfoHash: hashOne, PeerID: v.id, NumWant: 5, Offers: offers})
		if err := m.Parse(buf, lim); err != nil {
			b.Fatal(err)
		}
		relayed = append(relayed[:0], core.Handle(v.sock, &m, now)[1:]...)
		for j, d := range relayed {
			to := d.To.Ref.(*viewer)
			buf = signaling.AppendAnswer(buf[:0], hashOne, to.id, v.id, sdp, offers[j].ID, nil)
			if err := m.Parse(buf, lim); err != nil {
				b.Fatal(err)
			}
			answered += len(core.Handle(to.sock, &m, now))
		}
		if k%n == 0 {
			core.Tick(now)
		}
	}
	k := 0
	for ; k < 2*n; k++ {
		join(k)
	}
	before := answered
	b.ReportAllocs()
	for b.Loop() {
		join(k)
		k++
	}
	b.ReportMetric(float64(answered-before)/float64(k-2*n), "answers/op")
}
