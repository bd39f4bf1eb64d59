package swarm

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// scene is a stream under attack: its seeder and viewers use the attackers' tracker beside an honest one, and the
// viewers are both victims and bystanders.
type scene struct {
	*stream.Stream
	crossroads *crossroads
	viewers    *bystander.Viewers
	count      int
}

// newScene starts a stream and viewers, and waits until these play from peers.
func newScene(t *testing.T, viewers int) *scene {
	t.Helper()
	s := &scene{count: viewers}
	s.Stream = stream.Start(t, stream.Options{NoSeeder: true})
	s.crossroads = newCrossroads(t, infoHash(t, s.Source))
	s.StartSeeder(t, func(c *seeder.Config) { c.Trackers = append(c.Trackers, s.crossroads.url()) })
	admin := lab.FreeAddress(t)
	p := program.Start(t, program.Spec{Command: "viewer", Admin: admin, Config: viewer.Config{
		Source: s.Source, SwarmID: lab.SwarmID, Trackers: []string{s.WebSocket(), s.crossroads.url()}, STUN: []string{"stun:" + s.STUNListen},
		Count: viewers, Verify: true, Loopback: true, JoinInterval: duration.Duration(100 * time.Millisecond),
	}, Args: []string{"--headless", "--json", "--admin-listen", admin}})
	lab.Eventually(t, 60*time.Second, "the viewers to play from peers", func() bool {
		m := p.Metrics(t)
		return m.Sum("p2pstream_viewer_viewers") == float64(viewers) && m.Sum("p2pstream_viewer_peers") >= float64(viewers) &&
			m.Sum("p2pstream_viewer_received_bytes_total", `source="seeder"`) > 0
	})
	s.viewers = bystander.Observe(p, viewers)
	return s
}

// infoHash is the swarm of the stream's only rendition.
func infoHash(t *testing.T, url string) identity.InfoHash {
	t.Helper()
	source := lab.Must[*manifest.Source](t)(manifest.NewSource(manifest.SourceConfig{URL: url}))
	defer source.Close()
	p := lab.Must[*manifest.Presentation](t)(source.Load(t.Context()))
	return p.Renditions[0].InfoHash(identity.V23, lab.SwarmID)
}

// restOfPlaying is the share of a processor that programs may use while they play or serve viewers.
const restOfPlaying = 0.4

// TestPeers attacks a seeder and viewers over data channels.
func TestPeers(t *testing.T) {
	t.Parallel()
	s := newScene(t, 6)
	t.Run("all", func(t *testing.T) {
		t.Run("floods", func(t *testing.T) { t.Parallel(); s.floods(t) })
		t.Run("promises", func(t *testing.T) { t.Parallel(); s.promises(t) })
		t.Run("nothing read", func(t *testing.T) { t.Parallel(); s.deaf(t) })
	})
	s.viewers.Unharmed(t)
}

// TestConnections attacks them while connections are made, and below the data channel.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := newScene(t, 3)
	t.Run("all", s.connections)
	s.viewers.Unharmed(t)
}

// TestTrackers attacks them from a tracker that they use.
func TestTrackers(t *testing.T) {
	t.Parallel()
	s := newScene(t, 3)
	t.Run("all", s.trackers)
	s.viewers.Unharmed(t)
}

// victim is the program that an attack is aimed at.
type victim struct {
	name    string
	prefix  string
	process *program.Process
}

func (s *scene) victims() []victim {
	return []victim{{"seeder", identity.SeederPrefix, s.Seeder}, {"viewer", identity.ViewerPrefix, s.viewers.Process}}
}

// edge is the number of the newest segment of the origin's two-second live stream.
func edge() int64 { return time.Now().Unix() / 2 }
