package bystander

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// Pair is two peers of a swarm that keep meeting through the tracker: one announces with an offer, under a new id each
// time, the other answers, and the time that takes is what an attack on the tracker may not lengthen.
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

// pairPause is the time between two rounds.
const pairPause = 500 * time.Millisecond

// NewPair starts a pair at the tracker of the stream, and waits for its first round.
func NewPair(t testing.TB, s *stream.Stream) *Pair {
	t.Helper()
	p := &Pair{t: t, hash: peer.NewID(), resident: peer.NewID(), stop: make(chan struct{})}
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
	lab.Eventually(t, program.StartTime, "a pair to meet", func() bool {
		rounds, _, err := p.state()
		if err != nil {
			t.Fatal(err)
		}
		return rounds > 0
	})
	p.reset()
	return p
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
	lab.Eventually(t, bound+program.StartTime, "the pair to meet again", func() bool {
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

// reannounce is how often the resident announces, so that it stays a member.
const reannounce = 3 * time.Second

// answer is the life of the resident: a member that answers every offer.
func (p *Pair) answer(ws *websocket.Conn, joined chan<- struct{}) {
	var last time.Time
	for {
		if time.Since(last) > reannounce {
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
		reply := signaling.AppendAnswer(nil, p.hash, p.resident, m.PeerID, peer.Description, m.OfferID, nil)
		if err := ws.WriteMessage(websocket.TextMessage, reply); err != nil {
			p.fail(fmt.Errorf("the resident answers: %w", err))
			return
		}
	}
}

// offer meets the resident over and over, under a new id each time.
func (p *Pair) offer(ws *websocket.Conn) {
	pause := time.NewTicker(pairPause)
	defer pause.Stop()
	for {
		began := time.Now()
		if err := p.meet(ws, peer.NewID()); err != nil {
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

// meet is one round: an offer, the answer to it, and the goodbye.
func (p *Pair) meet(ws *websocket.Conn, id signaling.ID) error {
	send := func(a signaling.Announce) error {
		a.InfoHash, a.PeerID = p.hash, id
		return ws.WriteMessage(websocket.TextMessage, signaling.AppendAnnounce(nil, a))
	}
	if err := send(signaling.Announce{Event: signaling.EventStarted, NumWant: 1, Offers: peer.Offers(1)}); err != nil {
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
	if err := ws.SetReadDeadline(time.Now().Add(program.StartTime)); err != nil {
		return signaling.TrackerMessage{}, err
	}
	_, b, err := ws.ReadMessage()
	if err != nil {
		return signaling.TrackerMessage{}, err
	}
	return signaling.ParseTrackerMessage(b)
}
