package interop

import (
	"testing"

	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

// testTracker is our tracker, on loopback unless told otherwise.
type testTracker struct {
	*tracker.Server
	ws string // ws://host:port/announce
}

func startTracker(t testing.TB, cfg tracker.Config) *testTracker {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	s, err := tracker.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	inprocess.Run(t, s)
	host := s.Addr().String()
	return &testTracker{Server: s, ws: "ws://" + host + "/announce"}
}

// TestPublishedClientsOnOurTracker: the bare published client works on our tracker.
func TestPublishedClientsOnOurTracker(t *testing.T) {
	t.Parallel()
	clientsMeet(t, startTracker(t, tracker.Config{}).ws)
}

// TestPublishedPlayersOnOurTracker: published players share on our tracker, live and on demand, muxed and
// with audio apart.
func TestPublishedPlayersOnOurTracker(t *testing.T) {
	t.Parallel()
	o := startOrigin(t, loopback)
	tr := startTracker(t, tracker.Config{})
	for name, path := range map[string]string{
		"vod, muxed TS":        "/vod/dur_120/seg_2/ts/master.m3u8",
		"vod, audio apart":     "/vod/dur_120/seg_2/fmp4/audio/master.m3u8",
		"vod, byte ranges":     "/vod/dur_120/seg_2/byterange/master.m3u8",
		"live, muxed fMP4":     "/live/seg_2/window_15/fmp4/master.m3u8",
		"live, audio apart TS": "/live/seg_2/window_15/ts/audio/master.m3u8",
	} {
		for player, open := range openers {
			t.Run(player+", "+name, func(t *testing.T) {
				t.Parallel()
				shareBetweenTwo(t, open, sharing(o.url(path), tr.ws))
			})
		}
	}
}
