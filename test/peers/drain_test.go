package peers

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// host is what a guest knows of one peer.
type host struct {
	peer            *mesh.Peer
	joiner          wire.Joiner
	told            int // announcements
	loaded, loading []int64
	size, received  int64 // of what was asked for; size -1: no answer yet
	completed       bool
	closed          bool
}

// guest is a peer that requests only what a test wants, and notes what it is told.
type guest struct {
	mu    sync.Mutex
	hosts map[*mesh.Peer]*host
}

func (g *guest) PeerOpened(p *mesh.Peer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosts[p] = &host{peer: p, size: -1}
}

func (g *guest) PeerMessage(p *mesh.Peer, msg []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h := g.hosts[p]
	switch event := h.joiner.Push(msg); event.Kind {
	case wire.GotBytes:
		h.received += int64(len(event.Bytes))
	case wire.GotCommand:
		switch c := event.Command; c.Code {
		case wire.SegmentsAnnouncement:
			h.told++
			h.loaded, h.loading = c.Loaded, c.Loading
		case wire.SegmentData:
			h.size = c.Size
		case wire.SegmentDataSendingCompleted:
			h.completed = true
		}
	}
}

func (g *guest) PeerClosed(p *mesh.Peer, _ error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hosts[p].closed = true
}

// join puts a guest into the swarm of the stream's only rendition.
func join(t *testing.T, s *inprocess.Stream) *guest {
	t.Helper()
	source := lab.Must[*manifest.Source](t)(manifest.NewSource(manifest.SourceConfig{URL: s.Source}))
	defer source.Close()
	p := lab.Must[*manifest.Presentation](t)(source.Load(t.Context()))
	node := lab.Must[*mesh.Node](t)(mesh.NewNode(mesh.NodeConfig{Loopback: true}, lab.Logger("guest"), nil))
	g := &guest{hosts: map[*mesh.Peer]*host{}}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(func() {
		cancel()
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := node.Join(ctx, mesh.SwarmConfig{
		InfoHash: p.Renditions[0].InfoHash(identity.V23, lab.SwarmID),
		PeerID:   lab.Must[identity.PeerID](t)(identity.NewPeerID(identity.ViewerPrefix, rand.Reader)),
		Trackers: []string{s.WebSocket()}, Handler: g,
	}); err != nil {
		t.Fatal(err)
	}
	return g
}

// meet waits until a seeder, or a viewer, has told that it holds something, and returns it.
func (g *guest) meet(t *testing.T, seeder bool) *host {
	t.Helper()
	var found *host
	lab.Eventually(t, 30*time.Second, "a peer that holds something", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for p, h := range g.hosts {
			if strings.HasPrefix(string(p.ID()), identity.SeederPrefix) == seeder && len(h.loaded) > 0 {
				found = h
			}
		}
		return found != nil
	})
	return found
}

// ask asks for a segment that the peer holds.
func (g *guest) ask(t *testing.T, h *host) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	h.size, h.received, h.completed = -1, 0, false
	if err := h.peer.Send(encode(wire.Command{Code: wire.SegmentRequest, SegmentID: h.loaded[0], RequestID: int64(h.told)})); err != nil {
		t.Fatal(err)
	}
}

// sees waits until something holds for a peer.
func (g *guest) sees(t *testing.T, h *host, what string, is func(*host) bool) {
	t.Helper()
	lab.Eventually(t, 30*time.Second, what, func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return is(h)
	})
}

func whole(h *host) bool   { return h.completed && h.size > 0 && h.received == h.size }
func nothing(h *host) bool { return len(h.loaded)+len(h.loading) == 0 }

// TestASeederThatDrains sends what was requested to its end, while no peer is led to it and none is told that it holds
// anything, and then ends without waiting for its limit.
func TestASeederThatDrains(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_10/window_6/ren_1/master.m3u8")
	sd, stop := s.StartSeeder(t, func(c *seeder.Config) {
		c.UplinkBps, c.Drain = 500_000, duration.Duration(5*time.Minute)
	})
	s.AwaitSeeded(t)
	g := join(t, s)
	h := g.meet(t, true)
	g.ask(t, h)
	g.sees(t, h, "the first bytes", func(h *host) bool { return h.received > 0 })
	requests := sd.Engine().Counters().OriginRequests

	ended := make(chan struct{})
	go func() { defer close(ended); stop() }()
	g.sees(t, h, "the seeder to tell that it holds nothing", nothing)
	g.mu.Lock()
	early := !h.completed
	g.mu.Unlock()
	if !early {
		t.Error("the upload was over before the seeder began to drain: this shows nothing")
	}
	lab.Eventually(t, 10*time.Second, "the tracker to lead no peer to it any more", func() bool {
		st := s.Stats(t)
		return st.SeederSockets == 0 && st.SeedersHolding == 0
	})
	g.sees(t, h, "the whole segment", whole)
	done := time.Now()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("does not end with nothing left to send")
	}
	t.Logf("%d bytes, ended %v after the last", h.size, time.Since(done).Round(time.Millisecond))
	g.sees(t, h, "the connection to be closed", func(h *host) bool { return h.closed })
	if n := sd.Engine().Counters().OriginRequests; n > requests+1 { // one may have been published at that moment
		t.Errorf("asked the origin %d times more while it drained", n-requests)
	}
}

// TestAViewerThatLeaves sends what was just requested, and its last report says all that it measured.
func TestAViewerThatLeaves(t *testing.T) {
	t.Parallel()
	s := inprocess.NewStream(t, "/live/seg_2/window_10/ren_1/master.m3u8")
	s.StartSeeder(t, nil)
	s.AwaitSeeded(t)
	v, stop := startViewers(t, s, nil)
	inprocess.AwaitPlayed(t, 4*time.Second, v)
	g := join(t, s)
	h := g.meet(t, false)
	g.ask(t, h)
	began := time.Now()
	stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("took %v to leave", took)
	}
	g.sees(t, h, "the whole segment", whole)
	g.sees(t, h, "the viewer to tell that it holds nothing", nothing)
	g.sees(t, h, "the connection to be closed", func(h *host) bool { return h.closed })
	own := v.Snapshot().Total.Bytes
	lab.Eventually(t, 5*time.Second, "the tracker to have counted what the viewer measured", func() bool {
		counted := s.Stats(t).Offload.Totals // made anew every quarter of a second
		return counted.HTTP == own.HTTP && counted.Seeder == own.Seeder && counted.Viewer == own.Viewer
	})
}

func encode(c wire.Command) []byte {
	chunks, err := wire.Encode(c, wire.DefaultMaxMessageSize)
	if err != nil {
		panic(err)
	}
	return chunks[0]
}
