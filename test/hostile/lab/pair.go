package lab

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Pair is two peers of a swarm who go on introducing themselves to each other: one announces with an offer, under a
// new id each time, the other answers, and the time that takes is what an attack on the tracker may not lengthen.
type Pair struct {
	t        testing.TB
	hash     signaling.ID
	resident signaling.ID
	stop     chan struct{}
	work     sync.WaitGroup
	sockets  [2]*websocket.Conn

	mu      sync.Mutex
	rounds  int
	slowest time.Duration
	err     error
}

// pairPause is between two rounds.
const pairPause = 500 * time.Millisecond

// Pair starts a pair at the tracker of the stream, and waits for its first round.
func (s *Stream) Pair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{t: t, hash: NewID(), resident: NewID(), stop: make(chan struct{})}
	for i := range p.sockets {
		ws, resp, err := websocket.DefaultDialer.Dial(s.WebSocket(), nil)
		if err != nil {
			t.Fatalf("connecting a pair: %v", err)
		}
		_ = resp.Body.Close() // of a socket it is empty
		p.sockets[i] = ws
	}
	answering, offering := p.sockets[0], p.sockets[1]
	joined := make(chan struct{})
	p.work.Go(func() { p.answer(answering, joined) })
	p.work.Go(func() {
		select {
		case <-joined:
			p.offer(offering)
		case <-p.stop:
		}
	})
	t.Cleanup(p.end)
	Eventually(t, startTime, "a pair to meet", func() bool {
		rounds, _, err := p.state()
		if err != nil {
			t.Fatal(err)
		}
		return rounds > 0
	})
	p.reset()
	return p
}

// NewID makes a random peer id or info hash of plain characters.
func NewID() (id signaling.ID) {
	copy(id[:], rand.Text())
	return id
}

// Description is an offer or answer as long as those of browsers.
var Description = signaling.AppendText(nil, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"+
	"a=candidate:3077952869 1 udp 2122265343 192.0.2.10 39155 typ host generation 0 network-id 2\r\n")

// Offers makes n offers.
func Offers(n int) (offers []signaling.Offer) {
	for range n {
		offers = append(offers, signaling.Offer{SDP: Description, ID: signaling.AppendID(nil, NewID())})
	}
	return offers
}

func (p *Pair) state() (rounds int, slowest time.Duration, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rounds, p.slowest, p.err
}

func (p *Pair) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rounds, p.slowest = 0, 0
}

// Unharmed fails the test if the pair was cut off, did not meet since the last call, or once needed longer than the
// bound.
func (p *Pair) Unharmed(t testing.TB, bound time.Duration) {
	t.Helper()
	Eventually(t, bound+startTime, "the pair to meet again", func() bool {
		rounds, _, err := p.state()
		return rounds > 0 || err != nil
	})
	rounds, slowest, err := p.state()
	p.reset()
	if err != nil {
		t.Errorf("the pair was harmed: %v", err)
	}
	if slowest > bound {
		t.Errorf("the pair took %v to meet, %v is the most", slowest, bound)
	}
	t.Logf("the pair met %d times, in %v at most", rounds, slowest.Round(time.Millisecond))
}

func (p *Pair) end() {
	close(p.stop)
	for _, ws := range p.sockets {
		_ = ws.Close() // wakes its reader
	}
	p.work.Wait()
}

// fail notes why a socket ended, unless the test ends it.
func (p *Pair) fail(err error) {
	select {
	case <-p.stop:
		return
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = errors.Join(p.err, err)
}

// again is how often the resident announces, so that it stays a member.
const again = 3 * time.Second

// answer is the life of the resident: a member that answers every offer.
func (p *Pair) answer(ws *websocket.Conn, joined chan<- struct{}) {
	var last time.Time
	for {
		if time.Since(last) > again {
			last = time.Now()
			if err := ws.WriteMessage(websocket.TextMessage, signaling.AppendAnnounce(nil, signaling.Announce{
				InfoHash: p.hash, PeerID: p.resident})); err != nil {
				p.fail(fmt.Errorf("the resident announces: %w", err))
				return
			}
		}
		m, err := read(ws)
		if err != nil {
			p.fail(fmt.Errorf("the resident reads: %w", err))
			return
		}
		if joined != nil {
			close(joined)
			joined = nil
		}
		if m.Kind != signaling.KindOffer {
			continue
		}
		reply := signaling.AppendAnswer(nil, p.hash, p.resident, m.PeerID, Description, m.OfferID, nil)
		if err := ws.WriteMessage(websocket.TextMessage, reply); err != nil {
			p.fail(fmt.Errorf("the resident answers: %w", err))
			return
		}
	}
}

// offer meets the resident again and again, as somebody new each time.
func (p *Pair) offer(ws *websocket.Conn) {
	pause := time.NewTicker(pairPause)
	defer pause.Stop()
	for {
		began := time.Now()
		if err := p.meet(ws, NewID()); err != nil {
			p.fail(err)
			return
		}
		p.mu.Lock()
		p.rounds++
		p.slowest = max(p.slowest, time.Since(began))
		p.mu.Unlock()
		select {
		case <-p.stop:
			return
		case <-pause.C:
		}
	}
}

func (p *Pair) meet(ws *websocket.Conn, id signaling.ID) error {
	send := func(a signaling.Announce) error {
		a.InfoHash, a.PeerID = p.hash, id
		return ws.WriteMessage(websocket.TextMessage, signaling.AppendAnnounce(nil, a))
	}
	if err := send(signaling.Announce{Event: signaling.EventStarted, NumWant: 1, Offers: Offers(1)}); err != nil {
		return fmt.Errorf("announcing an offer: %w", err)
	}
	for {
		m, err := read(ws)
		if err != nil {
			return fmt.Errorf("waiting for an answer: %w", err)
		}
		if m.Kind == signaling.KindAnswer {
			break
		}
	}
	if err := send(signaling.Announce{Event: signaling.EventStopped}); err != nil {
		return fmt.Errorf("saying goodbye: %w", err)
	}
	return nil
}

func read(ws *websocket.Conn) (signaling.TrackerMessage, error) {
	if err := ws.SetReadDeadline(time.Now().Add(startTime)); err != nil {
		return signaling.TrackerMessage{}, err
	}
	_, b, err := ws.ReadMessage()
	if err != nil {
		return signaling.TrackerMessage{}, err
	}
	return signaling.ParseTrackerMessage(b)
}
