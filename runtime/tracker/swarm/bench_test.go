package swarm

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

// crowd is a swarm of n viewers and a few seeders in which every peer has announced twice and answered all offers.
func crowd(b *testing.B, n int) *world {
	w := newWorld(b, immediate())
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

// BenchmarkRoute routes the five offers of newcomers, each of which joins, and leaves after its offers were noted. Only the routing
// is timed (ns/route); offers/op shows that each finds recipients. The time must not grow with the swarm.
func BenchmarkRoute(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := crowd(b, n)
			s := w.core.swarms[hashOne]
			rnd := rand.New(rand.NewPCG(1, 2))
			var dst []*Peer
			var routing time.Duration
			found, rounds := 0, 0
			for b.Loop() {
				// As many come as in a storm in which all viewers join within 20 s, but no more than peers take offers.
				w.now = w.now.Add(max(20*time.Second/time.Duration(n), 10*time.Millisecond))
				p := s.join(peerID(1_000_000+rounds), &Socket{})
				p.offering = true
				began := time.Now()
				dst = Route(s, p, 5, w.now, rnd, dst[:0])
				routing += time.Since(began)
				for i, to := range dst {
					s.offered(p, to, uint64(5*rounds+i), w.now)
				}
				found += len(dst)
				rounds++
				s.leave(p)
			}
			if found == 0 {
				b.Fatal("no recipient found")
			}
			b.ReportMetric(float64(routing.Nanoseconds())/float64(rounds), "ns/route")
			b.ReportMetric(float64(found)/float64(rounds), "offers/op")
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
	j := newJoins(immediate(), n, func(int) Place { return Place{} })
	j.warm(2 * n)
	before, from := j.answered, j.k
	b.ReportAllocs()
	for b.Loop() {
		j.next()
	}
	b.ReportMetric(float64(j.answered-before)/float64(j.k-from), "answers/op")
}

// BenchmarkSites is what sites cost: the join cycle of BenchmarkJoinCycle in one swarm of 200 sites with 500 viewers each and four
// seeders elsewhere, and in a swarm of as many viewers without sites, one after the other. ratio is the first ÷ the second.
func BenchmarkSites(b *testing.B) {
	const sitesOf, viewers = 200, 500
	cfg := immediate()
	cfg.PeersPerSwarm, cfg.SeederPeers = 2*sitesOf*viewers, 4000
	var with, without time.Duration
	plain := newJoins(cfg, sitesOf*viewers, func(int) Place { return Place{} })
	split := newJoins(cfg, sitesOf*viewers, func(k int) Place {
		return Place{Site: fmt.Sprint("site", k%sitesOf), Peering: sites.Full}
	})
	for _, j := range []*joins{plain, split} {
		j.seed(4)
		j.warm(j.n + j.n/10)
	}
	rounds := 0
	for b.Loop() {
		began := time.Now()
		plain.next()
		between := time.Now()
		split.next()
		without, with = without+between.Sub(began), with+time.Since(between)
		rounds++
	}
	b.ReportMetric(float64(without.Nanoseconds())/float64(rounds), "ns/without")
	b.ReportMetric(float64(with.Nanoseconds())/float64(rounds), "ns/with")
	b.ReportMetric(float64(with)/float64(without), "ratio")
}

// joins has viewers join one after the other, each in the place of the oldest, through parser and core.
type joins struct {
	core    *Core
	n, k    int // members; viewers that came so far
	place   func(k int) Place
	now     time.Time
	viewers []*joiner

	sdp      signaling.Raw
	lim      signaling.Limits
	buf      []byte
	m        signaling.ClientMessage
	relayed  []Delivery
	ids      [5][128]byte
	offers   []signaling.Offer
	answered int
}

type joiner struct {
	sock *Socket
	id   signaling.ID
}

func newJoins(cfg Config, n int, place func(int) Place) *joins {
	line := "a=candidate:1 1 udp 2122265343 192.0.2.10 39155 typ host\r\n"
	return &joins{core: NewCore(cfg, nil, rand.New(rand.NewPCG(1, 2))), n: n, place: place, now: began, viewers: make([]*joiner, n),
		sdp: signaling.AppendText(nil, strings.Repeat(line, 13)[:733]), lim: signaling.Limits{}.WithDefaults(), offers: make([]signaling.Offer, 5)}
}

// seed adds seeders, at no site.
func (j *joins) seed(n int) {
	for i := range n {
		v := &joiner{&Socket{Seeder: true}, signaling.ID{byte(i), 's'}}
		v.sock.Place = j.place(0)
		v.sock.Place.Site = ""
		v.sock.Ref = v
		j.core.Handle(v.sock, &signaling.ClientMessage{Action: signaling.ActionAnnounce, InfoHash: hashOne, PeerID: v.id}, j.now)
	}
}

func (j *joins) warm(n int) {
	for range n {
		j.next()
	}
}

func (j *joins) parse() {
	if err := j.m.Parse(j.buf, j.lim); err != nil {
		panic(err) // the benchmark's own message
	}
}

// next lets one viewer join; its offers are answered.
func (j *joins) next() {
	j.now = j.now.Add(20 * time.Second / time.Duration(j.n))
	slot := j.k % j.n
	if old := j.viewers[slot]; old != nil {
		j.core.Close(old.sock)
	}
	v := &joiner{&Socket{Place: j.place(j.k)}, signaling.ID{byte(j.k), byte(j.k >> 8), byte(j.k >> 16), 'x'}}
	v.sock.Ref, j.viewers[slot] = v, v
	for i := range j.offers {
		id := v.id
		id[19] = byte(i)
		j.offers[i] = signaling.Offer{SDP: j.sdp, ID: signaling.AppendID(j.ids[i][:0], id)}
	}
	j.buf = signaling.AppendAnnounce(j.buf[:0], signaling.Announce{InfoHash: hashOne, PeerID: v.id, NumWant: 5, Offers: j.offers})
	j.parse()
	j.relayed = append(j.relayed[:0], j.core.Handle(v.sock, &j.m, j.now)[1:]...)
	offered := 0
	for _, d := range j.relayed {
		to := d.To.Ref.(*joiner)
		if to == v || offered == len(j.offers) {
			continue
		}
		j.buf = signaling.AppendAnswer(j.buf[:0], hashOne, to.id, v.id, j.sdp, j.offers[offered].ID, nil)
		offered++
		j.parse()
		j.answered += len(j.core.Handle(to.sock, &j.m, j.now))
	}
	if j.k%j.n == 0 {
		j.core.Tick(j.now)
	}
	j.k++
}
