package players

import (
	"testing"
	"time"
)

// TestGStreamerPlaysFilms plays films through the proxy with GStreamer. It takes as long as the film, and its media are the
// seeder's.
func TestGStreamerPlaysFilms(t *testing.T) {
	t.Parallel()
	const length = 24 * time.Second // the first segment may come from the origin: its swarm is joined when a player asks
	for name, path := range map[string]string{
		"HLS":                  "/vod/seg_2/dur_24/ren_1/master.m3u8",
		"DASH, numbers":        "/vod/seg_2/dur_24/ren_1/audio/manifest.mpd",
		"DASH, timeline":       "/vod/seg_2/dur_24/ren_1/timeline/audio/manifest.mpd",
		"DASH, one file, sidx": "/vod/seg_2/dur_24/ren_1/byterange/audio/manifest.mpd",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startStream(t, path)
			url := s.url
			if name != "HLS" {
				url = s.proxy.MPDURL()
			}
			began := time.Now()
			gstreamer(t, url)
			if took := time.Since(began); took < length {
				t.Errorf("it played for %v, want %v at least", took, length)
			}
			if _, seeder, offload := s.report(t); seeder == 0 || offload < 0.9 {
				t.Errorf("offload %.3f, want at least 0.9", offload)
			}
		})
	}
}
