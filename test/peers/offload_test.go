package peers

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

func TestSeederServesViewers(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{
		"live":                     "/live/seg_2/window_10/master.m3u8",
		"live, fMP4 and own audio": "/live/seg_2/window_10/fmp4/audio/master.m3u8",
		"VOD":                      "/vod/seg_2/dur_60/master.m3u8",
		"VOD, TS and own audio":    "/vod/seg_2/dur_60/ts/audio/master.m3u8",
		"VOD, byte ranges":         "/vod/seg_2/dur_60/byterange/master.m3u8",
		"DASH, live":               "/live/seg_2/window_10/audio/manifest.mpd",
		"DASH, live, timeline":     "/live/seg_2/window_10/audio/timeline/manifest.mpd",
		"DASH, VOD":                "/vod/seg_2/dur_60/audio/manifest.mpd",
		"DASH, VOD, byte ranges":   "/vod/seg_2/dur_60/byterange/manifest.mpd",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := inprocess.NewStream(t, path)
			s.StartSeeder(t, nil)
			s.AwaitSeeded(t)
			v, stop := startViewers(t, s, func(c *viewer.Config) { c.Count = 4 })
			r := inprocess.AwaitPlayed(t, 10*time.Second, v)
			checkClean(t, r)
			if r.Total.Offload < 0.95 {
				t.Errorf("offload %.3f, want at least 0.95", r.Total.Offload)
			}
			stop()
		})
	}
}
