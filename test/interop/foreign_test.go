package interop

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/test/interop/published"
)

// TestLoaderOnPublishedTracker runs our seeder and viewers on the published bittorrent-tracker server.
func TestLoaderOnPublishedTracker(t *testing.T) {
	o := startOrigin(t, "127.0.0.1:0")
	tr := published.StartTracker(t)
	source := o.url("/live/seg_2/window_10/master.m3u8")
	sd := launch(t, "seeder", "--source", source, "--swarm-id", swarmID, "--tracker", tr.URL, "--admin-listen", "",
		"--loopback", "--ice-listen", "127.0.0.1:0", "--one-socket-per-swarm")
	waitFor(t, 20*time.Second, "the seeder to fetch", func() bool { return o.Stats().Kinds[origin.KindSegment].Requests > 10 })
	v := &goViewer{launch(t, "viewer", "--source", source, "--swarm-id", swarmID, "--tracker", tr.URL, "--headless", "--json",
		"--verify", "--loopback", "--one-socket-per-swarm", "--count", "3", "--duration", "30s", "--log-level", "error")}
	r := v.wait(t, 60*time.Second)
	if r.Total.Offload < 0.9 || r.Total.Stalls != 0 || r.Total.DigestErrors != 0 || r.Viewers[0].Verified == 0 {
		t.Errorf("on a published tracker: %+v", r.Total)
	}
	sd.terminate(20 * time.Second)
}
