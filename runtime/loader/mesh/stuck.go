package mesh

import (
	"reflect"
	"sync"
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
//
// It reads under the transport's lock, unless that is taken: then it is held by whoever hangs in aborting the
// association, and what is read does not change.
func associationOf(pc *webrtc.PeerConnection) *sctp.Association {
	transport := pc.SCTP()
	lock, association := fieldOf[sync.RWMutex](transport), fieldOf[*sctp.Association](transport)
	if lock == nil || association == nil {
		return nil
	}
	if lock.TryRLock() {
		defer lock.RUnlock()
	}
	return *association
}

// fieldOf returns where a transport keeps its first field of a type, nil if it has none.
func fieldOf[T any](transport *webrtc.SCTPTransport) *T {
	v := reflect.ValueOf(transport).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Type() == reflect.TypeFor[T]() {
			return (*T)(unsafe.Pointer(f.UnsafeAddr())) //nolint:gosec // webrtc gives neither to anybody
		}
	}
	return nil
}
