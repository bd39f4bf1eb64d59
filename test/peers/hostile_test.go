package peers

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// attacker is a peer that follows the connection rules and breaks all others.
type attacker struct {
	attack func(a *attacker, p *mesh.Peer)
	answer func(a *attacker, p *mesh.Peer, c wire.Command)

	ctx            context.Context
	work           sync.WaitGroup
	opened, closed atomic.Int64
	joiners        sync.Map
}

func (a *attacker) PeerOpened(p *mesh.Peer) {
	a.opened.Add(1)
	a.joiners.Store(p, &wire.Joiner{})
	if a.attack != nil {
		a.work.Go(func() { a.attack(a, p) })
	}
}

func (a *attacker) PeerMessage(p *mesh.Peer, msg []byte) {
	if a.answer == nil {
		return
	}
	j, _ := a.joiners.Load(p)
	if event := j.(*wire.Joiner).Push(msg); event.Kind == wire.GotCommand {
		a.answer(a, p, event.Command)
	}
}

func (a *attacker) PeerClosed(*mesh.Peer, error) { a.closed.Add(1) }

// join puts the attacker into the swarm of the stream's only rendition.
func (a *attacker) join(t *testing.T, s *setup) {
	t.Helper()
	source := must[*manifest.Source](t)(manifest.NewSource(manifest.SourceConfig{URL: s.source}))
	defer source.Close()
	p := must[*manifest.Presentation](t)(source.Load(t.Context()))
	node := must[*mesh.Node](t)(mesh.NewNode(mesh.NodeConfig{Loopback: true}, logger("attacker"), nil))
	ctx, cancel := context.WithCancel(context.Background())
	a.ctx = ctx
	_, err := node.Join(ctx, mesh.SwarmConfig{
		InfoHash: p.Renditions[0].InfoHash(identity.V23, "peers-test"),
		PeerID:   must[identity.PeerID](t)(identity.NewPeerID(identity.ViewerPrefix, rand.Reader)),
		Trackers: []string{"ws://" + s.tracker.Addr().String() + "/announce"}, Handler: a,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := node.Close(); err != nil {
			t.Error(err)
		}
		a.work.Wait()
	})
}

// send sends until the peer is gone or the test is over.
func (a *attacker) send(p *mesh.Peer, next func() []byte) {
	for p.SendWait(a.ctx, next()) == nil {
	}
}

func encode(c wire.Command) []byte {
	chunks, err := wire.Encode(c, wire.DefaultMaxMessageSize)
	if err != nil {
		panic(err)
	}
	return chunks[0]
}

// everything is an announcement of more segments than there are.
func everything(around int64) []byte {
	c := wire.Command{Code: wire.SegmentsAnnouncement}
	for i := range int64(200) {
		c.Loaded = append(c.Loaded, around-100+i)
	}
	return encode(c)
}

// TestHostilePeers lets peers attack a seeder and its viewers; whoever plays by the rules must not notice.
func TestHostilePeers(t *testing.T) {
	garbage := make([]byte, 1<<16)
	for i := range garbage {
		garbage[i] = byte(mathrand.Uint32())
	}
	sequence := func() int64 { return time.Now().Unix() / 2 } // of the origin's two-second live segments
	for name, tt := range map[string]*struct {
		attacker
		cutOff bool // must the connection be closed by us
	}{
		"garbage": {attacker: attacker{attack: func(a *attacker, p *mesh.Peer) {
			a.send(p, func() []byte { return garbage[:1+mathrand.IntN(60000)] })
		}}, cutOff: true},
		"endless commands": {attacker: attacker{attack: func(a *attacker, p *mesh.Peer) {
			a.send(p, func() []byte { return everything(mathrand.Int64N(1 << 40)) })
		}}, cutOff: true},
		"endless requests": {attacker: attacker{attack: func(a *attacker, p *mesh.Peer) {
			a.send(p, func() []byte {
				return encode(wire.Command{Code: wire.SegmentRequest, SegmentID: sequence() - 5, RequestID: mathrand.Int64N(1000)})
			})
		}}, cutOff: true},
		"a command without an end": {attacker: attacker{attack: func(a *attacker, p *mesh.Peer) {
			first := append([]byte("cstr"), garbage[:60000]...)
			_ = p.SendWait(a.ctx, append(first, "dend"...))
			a.send(p, func() []byte { return append(append([]byte("dstr"), garbage[:60000]...), "dend"...) })
		}}, cutOff: true},
		"claims everything, delivers nothing": {attacker: attacker{attack: func(_ *attacker, p *mesh.Peer) {
			_ = p.Send(everything(sequence()))
		}}},
		"claims everything, lies about sizes": {attacker: attacker{
			attack: func(_ *attacker, p *mesh.Peer) { _ = p.Send(everything(sequence())) },
			answer: func(_ *attacker, p *mesh.Peer, c wire.Command) {
				if c.Code != wire.SegmentRequest {
					return
				}
				_ = p.Send(encode(wire.Command{Code: wire.SegmentData, SegmentID: c.SegmentID, RequestID: c.RequestID, Size: 1 << 50}))
				_ = p.Send(garbage[:1000])
				_ = p.Send(encode(wire.Command{Code: wire.SegmentDataSendingCompleted, SegmentID: c.SegmentID, RequestID: c.RequestID}))
			},
		}},
		"claims everything, sends too much": {attacker: attacker{
			attack: func(_ *attacker, p *mesh.Peer) { _ = p.Send(everything(sequence())) },
			answer: func(a *attacker, p *mesh.Peer, c wire.Command) {
				if c.Code != wire.SegmentRequest {
					return
				}
				_ = p.Send(encode(wire.Command{Code: wire.SegmentData, SegmentID: c.SegmentID, RequestID: c.RequestID, Size: 100}))
				a.work.Go(func() {
					for range 50 {
						if p.SendWait(a.ctx, garbage[:60000]) != nil {
							return
						}
					}
				})
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, "/live/seg_2/window_10/ren_1/master.m3u8")
			sd, _ := s.seeder(t, nil)
			s.waitSeeded(t)
			a := &tt.attacker
			a.join(t, s)
			v, stop := s.viewers(t, func(c *viewer.Config) { c.Count, c.Verify = 2, true })
			eventually(t, 30*time.Second, "the attacker to meet somebody", func() bool { return a.opened.Load() > 0 })
			r := played(t, v, 12*time.Second)
			checkClean(t, r)
			if r.Total.Offload < 0.8 {
				t.Errorf("offload %.3f beside an attacker", r.Total.Offload)
			}
			if tt.cutOff {
				eventually(t, 30*time.Second, "the attacker to be cut off", func() bool { return a.closed.Load() > 0 })
			}
			if st := sd.Engine().Status().Store; st.Bytes > st.Limit {
				t.Errorf("store holds %d of %d bytes", st.Bytes, st.Limit)
			}
			stop()
		})
	}
}

// TestPeerThatNeverReads asks for segments and reads nothing: it is cut off, others get theirs.
func TestPeerThatNeverReads(t *testing.T) {
	s := newSetup(t, "/live/seg_2/window_10/ren_1/master.m3u8")
	sd, _ := s.seeder(t, nil)
	s.waitSeeded(t)
	block := make(chan struct{})
	a := &attacker{
		attack: func(a *attacker, p *mesh.Peer) {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for id := int64(0); ; id++ {
				// Many segments, so that the windows on the way fill up.
				if p.SendWait(a.ctx, encode(wire.Command{
					Code: wire.SegmentRequest, SegmentID: time.Now().Unix()/2 - 2 - id%8, RequestID: id % 1000,
				})) != nil {
					return
				}
				select {
				case <-tick.C:
				case <-a.ctx.Done():
					return
				}
			}
		},
		answer: func(*attacker, *mesh.Peer, wire.Command) { <-block },
	}
	a.join(t, s)
	t.Cleanup(func() { close(block) })
	eventually(t, 20*time.Second, "the attacker to meet the seeder", func() bool { return a.opened.Load() > 0 })
	v, stop := s.viewers(t, nil)
	r := played(t, v, 12*time.Second)
	checkClean(t, r)
	eventually(t, 60*time.Second, "the seeder to cut the attacker off", func() bool { return sd.Engine().Peers() == 1 })
	stop()
}
