package rendition

import (
	"slices"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// seederConn is a connection to another seeder.
type seederConn struct{ peerConn }

func (*seederConn) ID() identity.PeerID { return "-PS0001-000000000001" }

// TestTheOwnerWaitsNoLongerThanTheCore: an edge seeder announces what another seeder brings, and looks again when it is not to be
// waited for any longer.
func TestTheOwnerWaitsNoLongerThanTheCore(t *testing.T) {
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	shared := newShared(source)
	shared.Settings.Seeder, shared.Settings.Edge = true, true
	shared.Settings.Trackers = []string{"ws://127.0.0.1:1/announce"}
	r := New(t.Context(), shared, manifest.Rendition{Name: "a"})
	defer shared.Work.Wait()
	defer r.stop()
	now := time.Now()
	r.core.Merge(playlistOf(100, 1), now)
	s := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, &seederConn{})
	r.opened(s)
	messages, err := wire.Encode(wire.Command{Code: wire.SegmentsAnnouncement, Loading: []int64{100}}, wire.DefaultMaxMessageSize)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		s.Message(m)
	}
	r.act(now)
	if n := r.shared.Counters.OriginRequests.Load(); n > 0 {
		t.Errorf("the origin is asked %d times", n)
	}
	if !slices.Contains(r.announcer.last[identity.V23].loading, 100) {
		t.Error("viewers are not told to wait")
	}
	until := r.core.Until()
	if rest := r.rest(now, time.Hour); until.IsZero() || rest != until.Sub(now) {
		t.Errorf("the owner rests for %s, the core waits for %s", rest, until.Sub(now))
	}
}
