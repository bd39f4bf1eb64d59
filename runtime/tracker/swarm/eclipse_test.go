package swarm

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// conduct is what fakes do: all of them answer and never connect.
type conduct struct {
	// offers is how many offers they announce with.
	offers int
	// once has them answer each peer one time only, as if they were connected with it from then on.
	once bool
	// sources is how many addresses they share; 0: each has its own.
	sources int
}

// scene is honest viewers among fakes, each on a socket of its own. Honest viewers behave as browsers do: five offers with
// each announce, and no answer to a peer that they are connected with.
type scene struct {
	*world
	rnd     *rand.Rand
	fakes   int
	as      conduct
	members int
	linked  map[[2]int]bool
	next    []time.Time
	met     map[[2]int]bool
}

func newScene(t testing.TB, honest, fakes int, as conduct, source func(int) netip.Addr) *scene {
	s := &scene{world: newWorld(t, immediate()), rnd: rand.New(rand.NewPCG(3, 4)), fakes: fakes, as: as, members: fakes + honest,
		linked: map[[2]int]bool{}, met: map[[2]int]bool{}, next: make([]time.Time, fakes+honest)}
	for i := range s.members {
		s.sock(s.name(i)).Source = source(i)
	}
	return s
}

func (s *scene) name(i int) string { return fmt.Sprintf("v%d", i) }

func (s *scene) link(a, b int) { s.linked[[2]int{a, b}], s.linked[[2]int{b, a}] = true, true }

// read has member i do what its messages make it do.
func (s *scene) read(i int) {
	sock := s.sock(s.name(i))
	in := s.inbox[sock]
	s.inbox[sock] = nil
	for _, m := range in {
		switch m.Kind {
		case signaling.KindReply:
			s.next[i] = s.now.Add(time.Duration(m.Interval) * time.Second)
		case signaling.KindAnswer:
			if from := number(m.PeerID); i >= s.fakes && from >= s.fakes {
				s.link(i, from)
			}
		case signaling.KindOffer:
			from := number(m.PeerID)
			if i >= s.fakes && s.linked[[2]int{i, from}] || i < s.fakes && s.as.once && s.met[[2]int{i, from}] {
				continue
			}
			s.met[[2]int{i, from}] = true
			s.answer(s.name(i), i, m)
		}
	}
}

func number(id signaling.ID) (n int) {
	_, _ = fmt.Sscanf(id.String()[8:], "%d", &n) // ids of these tests end in a number
	return n
}

// run lets the time pass.
func (s *scene) run(d time.Duration) float64 {
	for range int(d / time.Second) {
		s.now = s.now.Add(time.Second)
		s.core.Tick(s.now)
		for i := range s.members {
			if s.now.Before(s.next[i]) {
				continue
			}
			s.next[i] = s.now.Add(time.Duration(20+s.rnd.IntN(20)) * time.Second)
			offers := 5
			if i < s.fakes {
				offers = s.as.offers
			}
			s.announce(s.name(i), i, offers)
		}
		for range 2 { // offers, and the answers to them
			for i := range s.members {
				s.read(i)
			}
		}
	}
	s.check()
	return float64(len(s.linked)) / float64(s.members-s.fakes)
}

// own gives each member an address of its own, and fakes as many as they share.
func (as conduct) own(fakes int) func(int) netip.Addr {
	return func(i int) netip.Addr {
		if i < fakes && as.sources > 0 {
			i %= as.sources
		}
		return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
	}
}

func nowhere(int) netip.Addr { return netip.Addr{} }

// TestFakesDoNotTakeThePlacesOfPeers measures connections of a hundred viewers among 120 fakes.
func TestFakesDoNotTakeThePlacesOfPeers(t *testing.T) {
	const honest, fakes, length = 100, 120, 15 * time.Minute
	alone := newScene(t, honest, 0, conduct{}, nowhere).run(length)
	if alone < 15 {
		t.Fatalf("%.1f connections without fakes", alone)
	}
	for name, as := range map[string]conduct{
		"that offer and answer":                 {offers: 5},
		"that only answer":                      {},
		"that answer once":                      {offers: 5, once: true},
		"that only answer once":                 {once: true},
		"that only answer once, at one address": {once: true, sources: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := newScene(t, honest, fakes, as, as.own(fakes)).run(length)
			t.Logf("%.1f connections among fakes, %.1f without", got, alone)
			if got < 0.9*alone {
				t.Errorf("%.1f connections among fakes, %.1f without", got, alone)
			}
		})
	}
	t.Run("with one address for all", func(t *testing.T) {
		got := newScene(t, honest, fakes, conduct{offers: 5}, nowhere).run(length)
		t.Logf("%.1f connections among fakes, %.1f without", got, alone)
		if got < 0.9*alone {
			t.Errorf("%.1f connections among fakes, %.1f without", got, alone)
		}
	})
}
