package rendition

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/runtime/loader/fetch"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/loader/transit"
	"github.com/p2pstream/p2pstream/runtime/loader/upload"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newShared is what renditions of an engine without peers share.
func newShared(source *manifest.Source) *Shared {
	counters := &traffic.Recorder{}
	return &Shared{
		Settings: Settings{
			Generations: []identity.Generation{identity.V23}, MaxPeers: 50, MaxMessageSize: wire.DefaultMaxMessageSize,
			MaxSegmentBytes: 64 << 20, Patience: 1500 * time.Millisecond, WaitLimit: 10 * time.Second,
			Limits: schedule.Limits{
				HTTPSlots: 4, PeerSlots: 6, Urgent: 3 * time.Second, HTTPAhead: 16 * time.Second, PeerAhead: 2 * time.Minute,
				Patience: 500 * time.Millisecond,
			},
		},
		Source: source, Log: slog.New(slog.DiscardHandler), Store: store.New(256 << 20), Uplink: upload.NewUplink(0),
		Counters: counters, Transit: transit.NewBudget(256<<20, 64<<20), Verifier: fetch.NewVerifier(source, counters),
		Work: &sync.WaitGroup{}, Peers: &Connections{}, Segments: &atomic.Int64{},
		Claim: func(identity.InfoHash) bool { return true }, Evicted: func([]store.Key) {}, Draining: func() bool { return false },
	}
}

// idle is a rendition without a running owner, with n segments from first on.
func idle(t *testing.T, first int64, n int) *Rendition {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	r := New(t.Context(), newShared(source), manifest.Rendition{Name: "a"})
	r.core.Merge(playlistOf(first, n), time.Now())
	return r
}

func playlistOf(first int64, n int) *manifest.Playlist {
	p := &manifest.Playlist{Live: true, TargetDuration: 4 * time.Second, MediaSequence: first}
	for i := range n {
		p.Segments = append(p.Segments, manifest.Segment{Sequence: first + int64(i), URL: "http://h/" + strconv.FormatInt(first+int64(i), 10), Duration: 4 * time.Second})
	}
	return p
}

// TestWhatLeftThePlaylistIsBounded loads a playlist that is another one each time.
func TestWhatLeftThePlaylistIsBounded(t *testing.T) {
	r := idle(t, 0, 500)
	for i := range int64(50) {
		r.core.Merge(playlistOf(i*1000, 500), time.Now())
		r.core.Retire(time.Now())
		if n := len(r.core.Segments()); n > 500+1024 || r.shared.Segments.Load() != int64(n) {
			t.Fatalf("load %d: %d segments known, %d counted", i, n, r.shared.Segments.Load())
		}
	}
	if !r.segments.fits(MaxSegments) || r.segments.fits(MaxSegments+1) {
		t.Error("the bound of the sum of segments is wrong")
	}
	r.end()
	if r.shared.Segments.Load() != 0 {
		t.Errorf("%d segments of a rendition that has ended", r.shared.Segments.Load())
	}
}

// conn is a connection that drops what is sent.
type conn struct{}

func (conn) ID() identity.PeerID                    { return "-PE000000000000000001" }
func (conn) Send([]byte) error                      { return nil }
func (conn) Origin() signaling.Origin               { return signaling.Origin{} }
func (conn) SendWait(context.Context, []byte) error { return nil }
func (conn) Close(error)                            {}

// connect opens a session without a network.
func connect(t testing.TB, r *Rendition) *session.Session {
	t.Helper()
	s := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, conn{})
	r.opened(s)
	return s
}

// announce has the peer say that it holds the segments with these ids.
func announce(t testing.TB, s *session.Session, loaded ...int64) {
	t.Helper()
	messages, err := wire.Encode(wire.Command{Code: wire.SegmentsAnnouncement, Loaded: loaded}, wire.DefaultMaxMessageSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		s.Message(m)
	}
}
