package mesh

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/pion/sctp"
	"github.com/pion/webrtc/v4"
)

const (
	// closeWait is how long a connection may take to close; a regular one needs half a second.
	closeWait = 3 * time.Second
	// writeHang is how long handing over one message may take, which is a matter of microseconds.
	writeHang = 2 * time.Second
)

// closeConnection closes a connection, and one that pion cannot close too.
//
// An association of pion/sctp (1.11.1, and 1.12.1 still) whose last write failed takes a COOKIE-ECHO that comes late
// for a new beginning, and waits with its lock held for somebody who is long gone. From then on nothing that needs
// the lock returns: neither sending nor aborting, which closing begins with. A peer can bring it about. What still
// works is the association's own Close, which needs no lock, but webrtc gives the association to nobody.
func (s *Swarm) closeConnection(pc *webrtc.PeerConnection) error {
	stuck := time.AfterFunc(closeWait, func() {
		if a := associationOf(pc); a != nil {
			s.node.metrics.stuck.Inc()
			_ = a.Close() // it is being closed anyway, and that reports errors
		}
	})
	defer stuck.Stop()
	return pc.GracefulClose()
}

// associationOf returns the association under a connection's data channels, nil if there is none yet or any more.
func associationOf(pc *webrtc.PeerConnection) *sctp.Association {
	transport := reflect.ValueOf(pc.SCTP()).Elem()
	for i := range transport.NumField() {
		if f := transport.Field(i); f.Type() == reflect.TypeFor[*sctp.Association]() {
			return *(**sctp.Association)(unsafe.Pointer(f.UnsafeAddr())) //nolint:gosec // there is no other way to it
		}
	}
	return nil
}
