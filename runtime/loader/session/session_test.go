package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/index"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
	"github.com/p2pstream/p2pstream/runtime/loader/upload"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// conn is a connection that keeps what is sent; closed is why it was closed.
type conn struct {
	sent   [][]byte
	closed error
	origin signaling.Origin
	answer func(code wire.Code, size int64) // set by requested
}

func (*conn) ID() identity.PeerID                    { return "-PE000000000000000001" }
func (c *conn) Origin() signaling.Origin             { return c.origin }
func (c *conn) Send(msg []byte) error                { c.sent = append(c.sent, msg); return nil }
func (*conn) SendWait(context.Context, []byte) error { return nil }
func (c *conn) Close(cause error)                    { c.closed = cause }

// open returns a session whose playlist has four segments from id 100 on.
func open(t *testing.T) (*Session, *conn) {
	t.Helper()
	x := index.New([]identity.Generation{identity.V23})
	x.Learn(identity.V23, []int64{100, 101, 102, 103}, 1, 0)
	c := &conn{}
	return New(t.Context(), &Config{
		Log: slog.New(slog.DiscardHandler), Counters: &traffic.Recorder{}, Transit: transit.NewBudget(0, 0).Share(), Index: x,
		Store: store.New(1 << 20), Uplink: upload.NewUplink(0), MaxMessageSize: wire.DefaultMaxMessageSize, MaxSegmentBytes: 1 << 20,
		Go: new(sync.WaitGroup).Go, Announced: func(*Session) {},
	}, "", identity.V23, c), c
}

// TestPeersThatAreBlamedAreCounted: one that fails too often is disconnected, once.
func TestPeersThatAreBlamedAreCounted(t *testing.T) {
	s, c := open(t)
	for range 7 {
		s.Blame(false)
	}
	if got := s.cfg.Counters.PeersBlamed.Load(); got != 7 {
		t.Errorf("%d counted", got)
	}
	if c.closed != nil {
		t.Errorf("disconnected: %v", c.closed)
	}
	s.Blame(true)
	s.Blame(true)
	if !errors.Is(c.closed, errUnreliable) || s.cfg.Counters.Disconnects[traffic.Unreliable].Load() != 1 {
		t.Errorf("closed with %v, want one disconnect with %v", c.closed, errUnreliable)
	}
}

// TestClaimsGrowOld has a peer say that it fetches a segment, take that back, and say it again.
func TestClaimsGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := open(t)
		announce := func(ids ...int64) { s.setAnnouncement(wire.Command{Loading: ids}, time.Now()) }
		holding := func(id int64) schedule.Holding { return s.Announced().Holding(id, core.OldestClaim(time.Now(), 0)) }
		announce(101, 102)
		if holding(101) != schedule.Loading {
			t.Error("a new claim does not count")
		}
		time.Sleep(core.MinClaim / 2)
		announce()
		announce(101, 103)
		time.Sleep(core.MinClaim/2 + time.Second)
		if holding(101) != schedule.Absent {
			t.Error("a renewed claim counts forever")
		}
		if holding(103) != schedule.Loading {
			t.Error("a later claim does not count")
		}
		s.cfg.Index.Learn(identity.V23, []int64{200, 201, 202, 203}, 1, 0)
		announce(201)
		if len(s.claims) != 1 {
			t.Errorf("%d claims are remembered, of which one is in the playlist", len(s.claims))
		}
	})
}
