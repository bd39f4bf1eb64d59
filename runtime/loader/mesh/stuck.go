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

// closeConnection closes a connection, including one that pion cannot close.
//
// An association of pion/sctp (1.11.1, and 1.12.1 still) whose last write failed takes a late COOKIE-ECHO
// for a restart, and waits with its lock held for a peer that is gone. From then on nothing that needs the lock
// returns: neither sending nor aborting, which is the first step of closing. A peer can cause this. Only the
// association's own Close still works, since it needs no lock, but webrtc does not expose the association.
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
// It reads under the transport's lock, unless that is taken: then the goroutine that hangs while aborting the
// association holds it, and what is read does not change.
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
			return (*T)(unsafe.Pointer(f.UnsafeAddr())) //nolint:gosec // webrtc exposes neither
		}
	}
	return nil
}
