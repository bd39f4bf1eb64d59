package swarm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// crowd is a swarm of n viewers and a few seeders in which everybody has announced twice and answered everything.
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

// BenchmarkRoute routes the five offers of one newcomer; the swarm stays as it is. The time must not grow with the
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
				b.Fatal("nobody found")
			}
		})
	}
}

// BenchmarkAnnounceCycle is one announce with five offers of 733 bytes through parser and core, with the answers to
// all of them: up to 17 messages in and out, as in a browser's announce. Sockets are not part of it. Members take
// turns; time goes on so that each comes again after its interval.
func BenchmarkAnnounceCycle(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkCycle(b, n) })
	}
}

func benchmarkCycle(b *testing.B, n int) {
	w := crowd(b, n)
	sdp := signaling.AppendText(nil, strings.Repeat("a=candidate:1 1 udp 2122265343 192.0.2.10 39155 typ host\r\n", 13)[:733])
	lim := signaling.Limits{}.WithDefaults()
	socks := make([]*Socket, n)
	for i := range socks {
		socks[i] = w.sock(fmt.Sprint("V", i))
	}
	owner := map[*Socket]signaling.ID{}
	for i, s := range socks {
		owner[s] = peerID(i)
	}
	var buf []byte
	var in, reply signaling.ClientMessage
	var answers []Delivery
	relayed, k := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		i := k % n
		k++
		w.now = w.now.Add(20 * time.Second / time.Duration(n))
		a := signaling.Announce{InfoHash: hashOne, PeerID: peerID(i), NumWant: 5}
		var ids [5][22]byte
		for j := range 5 {
			id := signaling.ID{byte(k), byte(k >> 8), byte(k >> 16), byte(j), 0xdb}
			a.Offers = append(a.Offers, signaling.Offer{SDP: sdp, ID: signaling.AppendID(ids[j][:0], id)})
		}
		buf = signaling.AppendAnnounce(buf[:0], a)
		if err := in.Parse(buf, lim); err != nil {
			b.Fatal(err)
		}
		out := w.core.Handle(socks[i], &in, w.now)
		answers = append(answers[:0], out[1:]...)
		for _, d := range answers {
			if d.To.Seeder {
				continue
			}
			reply = signaling.ClientMessage{Action: signaling.ActionAnswer, InfoHash: hashOne, PeerID: owner[d.To], ToPeerID: in.PeerID,
				SDP: sdp, OfferID: offerIDOf(d.Payload)}
			if len(w.core.Handle(d.To, &reply, w.now)) == 1 {
				relayed++
			}
		}
		if k%1000 == 0 {
			w.core.Tick(w.now)
		}
	}
	b.ReportMetric(float64(relayed)/float64(k), "answers/op")
}

// offerIDOf finds the offer id in a relayed offer, where it is last.
func offerIDOf(payload []byte) signaling.Raw {
	m, err := signaling.ParseTrackerMessage(append([]byte(nil), payload...))
	if err != nil {
		return nil
	}
	return m.OfferID
}
