package swarm

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/ice/v4"
	"github.com/pion/webrtc/v4"

	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/peer"
)

// stranger is a peer that connects by the rules, and follows no other rule.
type stranger struct {
	t    *testing.T
	id   signaling.ID
	pc   *webrtc.PeerConnection
	raw  datachannel.ReadWriteCloser
	gone chan struct{} // closed when the other end has closed the connection
	ctx  context.Context
	once sync.Once

	read  atomic.Int64 // bytes
	heard func(wire.Command)
}

// api makes connections over loopback.
func api() *webrtc.API {
	var e webrtc.SettingEngine
	e.DetachDataChannels()
	e.SetIncludeLoopbackCandidate(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	e.SetHostAcceptanceMinWait(0)
	e.SetDTLSInsecureSkipHelloVerify(true)
	return webrtc.NewAPI(webrtc.WithSettingEngine(e), webrtc.WithMediaEngine(&webrtc.MediaEngine{}))
}

var strangers = api()

// manner is how a stranger connects.
type manner struct {
	channel *webrtc.DataChannelInit
	label   string
	change  func(answer string) string // of the other end's description, before it is taken
	deaf    bool                       // it reads nothing
	heard   func(s *stranger, c wire.Command)
}

// meet connects a new stranger to the member, and waits until the channel is open.
func meet(t *testing.T, m *member, how manner) *stranger {
	t.Helper()
	s, dc := newStranger(t, how)
	opened := make(chan struct{})
	dc.OnOpen(func() { close(opened) })
	sdp := describe(t, s.pc, func() (webrtc.SessionDescription, error) { return s.pc.CreateOffer(nil) })
	// As peers do, it offers again if there is no answer: while many connect, some are turned away.
	answer := ""
	for try := 0; answer == "" && try < 8; try++ {
		answer = m.ask(s.id, sdp, 5*time.Second)
	}
	if answer == "" {
		t.Fatal("no offer was answered")
	}
	if how.change != nil {
		answer = how.change(answer)
	}
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	s.open(dc, opened, how)
	return s
}

// visit connects a new stranger by answering an offer of the member.
func visit(t *testing.T, m *member, how manner) *stranger {
	t.Helper()
	s := &stranger{t: t, id: peer.NewID(), gone: make(chan struct{}), ctx: t.Context()}
	s.pc = lab.Must[*webrtc.PeerConnection](t)(strangers.NewPeerConnection(webrtc.Configuration{}))
	s.closeAtEnd()
	opened := make(chan struct{})
	channel := make(chan *webrtc.DataChannel, 1)
	s.pc.OnDataChannel(func(dc *webrtc.DataChannel) {
		dc.OnOpen(func() { channel <- dc; close(opened) })
	})
	var o offered
	lab.Eventually(t, 60*time.Second, "an offer of the member", func() (ok bool) {
		o, ok = m.take()
		return ok
	})
	if err := s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.sdp}); err != nil {
		t.Fatal(err)
	}
	m.answer(s.id, o, describe(t, s.pc, func() (webrtc.SessionDescription, error) { return s.pc.CreateAnswer(nil) }))
	select {
	case <-opened:
	case <-time.After(20 * time.Second):
		t.Fatal("the channel did not open")
	}
	s.open(<-channel, opened, how)
	return s
}

func newStranger(t *testing.T, how manner) (*stranger, *webrtc.DataChannel) {
	t.Helper()
	s := &stranger{t: t, id: peer.NewID(), gone: make(chan struct{}), ctx: t.Context()}
	s.pc = lab.Must[*webrtc.PeerConnection](t)(strangers.NewPeerConnection(webrtc.Configuration{}))
	s.closeAtEnd()
	return s, lab.Must[*webrtc.DataChannel](t)(s.pc.CreateDataChannel(how.label, how.channel))
}

func (s *stranger) closeAtEnd() { s.t.Cleanup(s.leave) }

// leave ends the connection.
func (s *stranger) leave() { s.once.Do(func() { _ = s.pc.GracefulClose() }) }

// describe makes a description with all candidates in it.
func describe(t *testing.T, pc *webrtc.PeerConnection, create func() (webrtc.SessionDescription, error)) string {
	t.Helper()
	complete := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(lab.Must[webrtc.SessionDescription](t)(create())); err != nil {
		t.Fatal(err)
	}
	<-complete
	return pc.LocalDescription().SDP
}

func (s *stranger) open(dc *webrtc.DataChannel, opened <-chan struct{}, how manner) {
	s.t.Helper()
	select {
	case <-opened:
	case <-time.After(20 * time.Second):
		s.t.Fatal("the channel did not open")
	}
	s.raw = lab.Must[datachannel.ReadWriteCloser](s.t)(dc.Detach())
	if how.heard != nil {
		s.heard = func(c wire.Command) { how.heard(s, c) }
	}
	s.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if how.deaf && (state == webrtc.PeerConnectionStateClosed || state == webrtc.PeerConnectionStateFailed) {
			close(s.gone)
		}
	})
	if !how.deaf {
		go s.listen()
	}
}

func (s *stranger) listen() {
	defer close(s.gone)
	var j wire.Joiner
	buf := make([]byte, 1<<16)
	for {
		n, err := s.raw.Read(buf)
		if err != nil {
			return
		}
		s.read.Add(int64(n))
		if event := j.Push(buf[:n]); event.Kind == wire.GotCommand && s.heard != nil {
			s.heard(event.Command)
		}
	}
}

// send sends one message; false if the connection is gone or the test over.
func (s *stranger) send(msg []byte) bool {
	select {
	case <-s.gone:
		return false
	case <-s.ctx.Done():
		return false
	default:
	}
	_, err := s.raw.Write(msg)
	return err == nil
}

// flood sends messages, without more than some waiting, until the connection is closed or the time is over.
func (s *stranger) flood(within time.Duration, next func() []byte) {
	dc, ok := s.raw.(*datachannel.DataChannel)
	if !ok {
		s.t.Fatalf("a %T", s.raw)
	}
	deadline := time.Now().Add(within)
	for time.Now().Before(deadline) && s.send(next()) {
		for dc.BufferedAmount() > 1<<20 {
			select {
			case <-s.gone:
				return
			case <-time.After(time.Millisecond):
			}
			if time.Now().After(deadline) {
				return
			}
		}
	}
}

// cutOff waits until the other end has closed the connection.
func (s *stranger) cutOff(within time.Duration) {
	s.t.Helper()
	select {
	case <-s.gone:
	case <-time.After(within):
		s.t.Errorf("the attacker is still connected after %s", within)
	}
}

// closed tells whether the other end has closed the connection.
func (s *stranger) closed() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// connected fails the test if the other end has closed the connection.
func (s *stranger) connected() {
	s.t.Helper()
	if s.closed() {
		s.t.Error("the stranger was cut off though it did nothing that is not allowed")
	}
}

// encode frames a command.
func encode(c wire.Command) []byte {
	chunks, err := wire.Encode(c, wire.DefaultMaxMessageSize)
	if err != nil {
		panic(err)
	}
	return chunks[0]
}

// credentials are what a description says about checks.
func credentials(sdp string) (ufrag, password, address string) {
	for line := range strings.Lines(sdp) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "a=ice-ufrag:"):
			ufrag = line[len("a=ice-ufrag:"):]
		case strings.HasPrefix(line, "a=ice-pwd:"):
			password = line[len("a=ice-pwd:"):]
		case strings.HasPrefix(line, "a=candidate:"):
			if f := strings.Fields(line); len(f) > 5 && f[4] == "127.0.0.1" {
				address = net.JoinHostPort(f[4], f[5])
			}
		}
	}
	return ufrag, password, address
}
