package mesh

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// Times of one connection attempt.
const (
	gatherWait    = 5 * time.Second  // as in p2p-media-loader 2.x
	offerLife     = 50 * time.Second // as in bittorrent-tracker's client 11.2
	handshakeWait = 15 * time.Second // after that the offer is too old
	connectWait   = 10 * time.Second
	slotHold      = 3 * time.Second // a path without answer must not delay other handshakes
)

// maxChannels bounds the data channels that a peer may open on one connection; only the first counts.
const maxChannels = 8

var errTooManyChannels = errors.New("too many data channels")

// attempt is a connection that is not open yet.
type attempt struct {
	swarm    *Swarm
	outgoing bool
	own      bool             // it has a port of its own; see seek.go
	remote   identity.PeerID  // unknown until an offer is answered
	origin   signaling.Origin // likewise
	peer     *Peer            // owned by the swarm's loop
	counted  bool             // likewise: it takes up room
	began    time.Time        // likewise: since when
	offered  time.Time        // likewise: when our offer was announced

	mu      sync.Mutex
	pc      *webrtc.PeerConnection
	making  bool // pc is not to be closed yet
	closed  bool
	release func()
	timers  []*time.Timer
}

// connect makes the connection object, which is closed only after made. It fails when the attempt has been given up.
func (a *attempt) connect() (*webrtc.PeerConnection, error) {
	s := a.swarm
	pc, err := s.node.engine.connection(a.own)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	gone := a.closed
	if !gone {
		a.pc, a.making = pc, true
	}
	a.mu.Unlock()
	if gone {
		s.discard(pc)
		return nil, ErrPeerClosed
	}
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			s.post(func() { s.transport(a, state) })
		}
	})
	return pc, nil
}

// made ends what connect began: the connection gathers, or will not. An attempt that was given up meanwhile is closed
// now. Not earlier, because pion (webrtc 4.2.19) makes an ICE agent for a connection that was closed before it had
// one, and never closes that agent.
func (a *attempt) made() {
	a.mu.Lock()
	a.making = false
	gone, pc := a.closed, a.pc
	a.mu.Unlock()
	if gone {
		a.swarm.discard(pc)
	}
}

// use makes dc the attempt's channel; it opens the peer as soon as it is open itself.
func (a *attempt) use(dc *webrtc.DataChannel) {
	dc.OnOpen(func() {
		raw, err := dc.Detach()
		if err != nil {
			a.swarm.post(func() { a.swarm.fail(a, reasonRemote) })
			return
		}
		a.swarm.post(func() { a.swarm.opened(a, dc, raw) })
	})
}

// makeOffer gathers and returns the description to send.
func (a *attempt) makeOffer() (string, error) {
	pc, err := a.connect()
	if err != nil {
		return "", err
	}
	gathered, err := a.offer(pc)
	a.made()
	if err != nil {
		return "", err
	}
	return localSDP(pc, gathered)
}

func (a *attempt) offer(pc *webrtc.PeerConnection) (gathered <-chan struct{}, err error) {
	dc, err := pc.CreateDataChannel(channelLabel(), nil)
	if err != nil {
		return nil, fmt.Errorf("creating data channel: %w", err)
	}
	a.use(dc)
	a.accepts(pc, false)
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		return nil, fmt.Errorf("creating offer: %w", err)
	}
	return gather(pc, offer)
}

// answerTo applies a peer's offer and returns the description to send back.
func (a *attempt) answerTo(sdp string) (string, error) {
	sdp, err := a.clean(sdp)
	if err != nil {
		return "", err
	}
	pc, err := a.connect()
	if err != nil {
		return "", err
	}
	gathered, err := a.answer(pc, sdp)
	a.made()
	if err != nil {
		return "", err
	}
	return localSDP(pc, gathered)
}

func (a *attempt) answer(pc *webrtc.PeerConnection, sdp string) (gathered <-chan struct{}, err error) {
	a.accepts(pc, true)
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}); err != nil {
		return nil, fmt.Errorf("applying offer: %w", err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return nil, fmt.Errorf("creating answer: %w", err)
	}
	return gather(pc, answer)
}

// accepts handles the channels that the other end opens: the first one is used if we made none, further ones are closed,
// and the connection is closed after maxChannels.
func (a *attempt) accepts(pc *webrtc.PeerConnection, first bool) {
	channels := 0
	pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		channels++ // pion makes these calls one after the other
		switch {
		case channels == 1 && first:
			a.use(dc)
		case channels > maxChannels:
			a.swarm.node.metrics.channelsRefused.Inc()
			a.swarm.post(func() { a.swarm.misused(a) })
		default:
			a.swarm.node.metrics.channelsRefused.Inc()
			dc.OnOpen(func() { closeExtra(dc) })
		}
	})
}

// closeExtra is for the second and later channels, which have no meaning.
func closeExtra(dc *webrtc.DataChannel) {
	if raw, err := dc.Detach(); err == nil {
		_ = raw.Close() // the connection continues without it
	}
}

// accept takes the answer to our offer.
func (a *attempt) accept(sdp string) error {
	sdp, err := a.clean(sdp)
	if err != nil {
		return err
	}
	a.mu.Lock()
	pc := a.pc
	a.mu.Unlock()
	if pc == nil {
		return ErrPeerClosed
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		return fmt.Errorf("applying answer: %w", err)
	}
	return nil
}

// clean is cleanSDP, and counts the addresses that it left out.
func (a *attempt) clean(sdp string) (string, error) {
	cleaned, err := cleanSDP(sdp)
	if err != nil {
		return "", err
	}
	const line = "a=candidate:"
	if left := strings.Count(sdp, line) - strings.Count(cleaned, line); left > 0 {
		a.swarm.node.metrics.candidatesRefused.Add(float64(left))
	}
	return cleaned, nil
}

// gather begins to gather candidates; the channel is closed when all are there, or the connection is.
func gather(pc *webrtc.PeerConnection, desc webrtc.SessionDescription) (<-chan struct{}, error) {
	complete := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(desc); err != nil {
		return nil, fmt.Errorf("gathering candidates: %w", err)
	}
	return complete, nil
}

// localSDP waits for all candidates, since they are never sent moveToOwnSocket, but not for a dead STUN server.
func localSDP(pc *webrtc.PeerConnection, gathered <-chan struct{}) (string, error) {
	timer := time.NewTimer(gatherWait)
	defer timer.Stop()
	select {
	case <-gathered:
	case <-timer.C:
	}
	local := pc.LocalDescription()
	if local == nil {
		return "", fmt.Errorf("gathering candidates: %w", ErrPeerClosed)
	}
	return local.SDP, nil
}

// hold keeps the handshake slot until the attempt opens or fails, or slotHold has passed. It reports false
// when the attempt has been given up, and starts the attempt's own timer otherwise.
func (a *attempt) hold(release func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false
	}
	a.release = release
	a.timers = append(a.timers,
		time.AfterFunc(slotHold, release),
		time.AfterFunc(connectWait, func() { a.swarm.post(func() { a.swarm.fail(a, reasonTimeout) }) }))
	return true
}

// expire calls f when the offer has got too old.
func (a *attempt) expire(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timers = append(a.timers, time.AfterFunc(offerLife, f))
}

// settle stops the attempt's timers and frees its slot.
func (a *attempt) settle() {
	a.mu.Lock()
	release := a.release
	a.release = nil
	for _, t := range a.timers {
		t.Stop()
	}
	a.timers = nil
	a.mu.Unlock()
	if release != nil {
		release()
	}
}

// close marks the attempt as given up and returns the connection to be closed, once. One that is still being made is
// closed by made.
func (a *attempt) close() *webrtc.PeerConnection {
	a.mu.Lock()
	var pc *webrtc.PeerConnection
	if !a.closed {
		a.closed = true
		if !a.making {
			pc = a.pc
		}
	}
	a.mu.Unlock()
	a.settle()
	return pc
}

// misused closes a connection whose other end opens channel after channel.
func (s *Swarm) misused(a *attempt) {
	if a.peer != nil {
		a.peer.Close(errTooManyChannels)
		return
	}
	s.fail(a, reasonRemote)
}

// channelLabel is 40 hex digits, like those of p2p-media-loader; it has no meaning.
func channelLabel() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
