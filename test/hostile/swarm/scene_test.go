package swarm

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/hostile/lab"
)

// scene is a stream under attack: its seeder and viewers use the attackers' tracker beside an honest one, and the
// viewers are both victims and bystanders.
type scene struct {
	*lab.Stream
	crossroads *crossroads
	viewers    *lab.Process
	count      int
	began      time.Time
}

// newScene starts a stream and viewers, and waits until these play from peers.
func newScene(t *testing.T, viewers int) *scene {
	t.Helper()
	s := &scene{count: viewers}
	s.Stream = lab.NewStream(t, lab.Options{NoSeeder: true})
	s.crossroads = newCrossroads(t, infoHash(t, s.Source))
	s.StartSeeder(t, func(c *seeder.Config) { c.Trackers = append(c.Trackers, s.crossroads.url()) })
	admin := lab.FreeAddress(t)
	s.viewers = lab.Start(t, "viewer", admin, viewer.Config{
		Source: s.Source, SwarmID: lab.SwarmID, Trackers: []string{s.WebSocket(), s.crossroads.url()}, STUN: []string{"stun:" + s.STUNListen},
		Count: viewers, Verify: true, Loopback: true, JoinInterval: duration.Duration(100 * time.Millisecond),
	}, "--headless", "--json", "--admin-listen", admin)
	lab.Eventually(t, 60*time.Second, "the viewers to play from peers", func() bool {
		m := s.viewers.Metrics(t)
		return m.Sum("p2pstream_viewer_viewers") == float64(viewers) && m.Sum("p2pstream_viewer_peers") >= float64(viewers) &&
			m.Sum("p2pstream_viewer_received_bytes_total", `source="seeder"`) > 0
	})
	s.began = time.Now()
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

// unharmed ends the viewers; none may have stalled, or have shown a wrong byte, or have stood still.
func (s *scene) unharmed(t *testing.T) {
	t.Helper()
	watched := time.Since(s.began)
	s.viewers.Stop(t)
	var r viewer.Report
	if err := json.Unmarshal(s.viewers.Output(), &r); err != nil {
		t.Fatalf("reading the viewers' report: %v\n%s", err, s.viewers.Output())
	}
	t.Logf("%d viewers: %d stalls, offload %.3f, %d digest errors, %v under attack", len(r.Viewers), r.Total.Stalls, r.Total.Offload,
		r.Total.DigestErrors, watched.Round(time.Millisecond))
	if len(r.Viewers) != s.count || r.Total.Stalls != 0 || r.Total.DigestErrors != 0 {
		t.Errorf("viewers were harmed: %s", s.viewers.Output())
	}
	for _, one := range r.Viewers {
		if played := time.Duration(one.PlayedMs) * time.Millisecond; played < watched*9/10-time.Second {
			t.Errorf("viewer %d played %v in %v", one.ID, played, watched)
		}
	}
}

// restOfPlaying is the share of a processor of those who play on, or serve them.
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
	s.unharmed(t)
}

// TestConnections attacks them while connections are made, and below the data channel.
func TestConnections(t *testing.T) {
	t.Parallel()
	s := newScene(t, 3)
	t.Run("all", s.connections)
	s.unharmed(t)
}

// TestTrackers attacks them from a tracker that they use.
func TestTrackers(t *testing.T) {
	t.Parallel()
	s := newScene(t, 3)
	t.Run("all", s.trackers)
	s.unharmed(t)
}

// victim is whom an attack is aimed at.
type victim struct {
	name    string
	prefix  string
	process *lab.Process
}

func (s *scene) victims() []victim {
	return []victim{{"seeder", identity.SeederPrefix, s.Seeder}, {"viewer", identity.ViewerPrefix, s.viewers}}
}

// edge is the number of the newest segment of the origin's two-second live stream.
func edge() int64 { return time.Now().Unix() / 2 }
