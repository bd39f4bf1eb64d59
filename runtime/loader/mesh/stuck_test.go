package mesh

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/sctp"
	"github.com/pion/webrtc/v4"
)

// cookieEcho is the type of that chunk (RFC 9260 §3.3.11), which follows the common header of 12 bytes.
const cookieEcho = 10

// wire is one end of a pair of datagram connections that remembers the COOKIE-ECHO it received, and whose writes can
// be made to fail, after which it reads that COOKIE-ECHO once more.
type wire struct {
	in, out chan []byte
	mu      sync.Mutex
	echo    []byte
	broken  bool
	again   chan []byte
	closed  chan struct{}
	once    sync.Once
}

func newWires() (a, b *wire) {
	one, two := make(chan []byte, 256), make(chan []byte, 256)
	end := func(in, out chan []byte) *wire {
		return &wire{in: in, out: out, again: make(chan []byte, 1), closed: make(chan struct{})}
	}
	return end(one, two), end(two, one)
}

func (w *wire) Read(b []byte) (int, error) {
	select {
	case p := <-w.again: // before the news that the connection is closed
		return copy(b, p), nil
	default:
	}
	select {
	case p := <-w.again:
		return copy(b, p), nil
	case p := <-w.in:
		if len(p) > 12 && p[12] == cookieEcho {
			w.mu.Lock()
			w.echo = bytes.Clone(p)
			w.mu.Unlock()
		}
		return copy(b, p), nil
	case <-w.closed:
		select {
		case p := <-w.again:
			return copy(b, p), nil
		default:
			return 0, io.EOF
		}
	}
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	broken := w.broken
	w.mu.Unlock()
	if broken {
		return 0, net.ErrClosed
	}
	select {
	case w.out <- bytes.Clone(b):
	default: // lost
	}
	return len(b), nil
}

// Close is called by the association when a write has failed; by then its state is that of a closed one, or will be
// in a moment, and what had been received is still read.
func (w *wire) Close() error {
	w.once.Do(func() {
		time.AfterFunc(50*time.Millisecond, func() {
			w.mu.Lock()
			w.again <- w.echo
			w.mu.Unlock()
			close(w.closed)
		})
	})
	return nil
}

func (w *wire) breakWrites() {
	w.mu.Lock()
	w.broken = true
	w.mu.Unlock()
}

func (w *wire) LocalAddr() net.Addr              { return &net.UDPAddr{} }
func (w *wire) RemoteAddr() net.Addr             { return &net.UDPAddr{} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// TestAssociationThatIsStuck brings about what closeConnection guards against, and shows that closing the association
// itself ends it. When the first half fails, pion has mended it and stuck.go can go.
func TestAssociationThatIsStuck(t *testing.T) {
	a, b := newWires()
	type result struct {
		assoc *sctp.Association
		err   error
	}
	server := make(chan result, 1)
	go func() {
		assoc, err := sctp.ServerWithOptions(sctp.WithNetConn(a))
		server <- result{assoc, err}
	}()
	client, err := sctp.ClientWithOptions(sctp.WithNetConn(b))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(); _ = client.Close() }()
	got := <-server
	if got.err != nil {
		t.Fatal(got.err)
	}
	stream, err := got.assoc.OpenStream(1, sctp.PayloadTypeWebRTCBinary)
	if err != nil {
		t.Fatal(err)
	}
	a.breakWrites()
	if _, err := stream.Write([]byte("to no peer")); err != nil {
		t.Fatal(err)
	}
	aborted := make(chan struct{})
	<-a.closed // and the COOKIE-ECHO is there to be read
	time.AfterFunc(100*time.Millisecond, func() {
		got.assoc.Abort("")
		close(aborted)
	})
	select {
	case <-aborted:
		t.Error("an association that got a late COOKIE-ECHO can be aborted: stuck.go is not needed any more")
		return
	case <-time.After(1500 * time.Millisecond):
	}
	_ = got.assoc.Close()
	select {
	case <-aborted:
	case <-time.After(5 * time.Second):
		t.Error("closing the association does not free it")
	}
}

// TestAssociationIsFound holds closeConnection to the version of webrtc that is in use.
func TestAssociationIsFound(t *testing.T) {
	offerer, answerer := connection(t), connection(t)
	if associationOf(offerer) != nil {
		t.Fatal("an association before there is a connection")
	}
	dc, err := offerer.CreateDataChannel("", nil)
	if err != nil {
		t.Fatal(err)
	}
	open := make(chan struct{})
	dc.OnOpen(func() { close(open) })
	offer, err := offerer.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	describe(t, offerer, answerer, offer)
	answer, err := answerer.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	describe(t, answerer, offerer, answer)
	select {
	case <-open:
	case <-time.After(20 * time.Second):
		t.Fatal("no connection in 20 s")
	}
	if associationOf(offerer) == nil {
		t.Error("no association is found under an open connection")
	}
}

func connection(t *testing.T) *webrtc.PeerConnection {
	t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.GracefulClose() })
	return pc
}

// describe gives both ends the description of one, candidates included.
func describe(t *testing.T, of, to *webrtc.PeerConnection, d webrtc.SessionDescription) {
	t.Helper()
	gathered := webrtc.GatheringCompletePromise(of)
	if err := of.SetLocalDescription(d); err != nil {
		t.Fatal(err)
	}
	<-gathered
	if err := to.SetRemoteDescription(*of.LocalDescription()); err != nil {
		t.Fatal(err)
	}
}
