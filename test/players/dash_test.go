package players

import (
	"strings"
	"testing"
)

// TestDASHFramesAreTheOrigins copies a whole film of each addressing through the proxy and from the origin, and compares every
// frame and its time.
func TestDASHFramesAreTheOrigins(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{"audio", "timeline/audio", "byterange/audio"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			s := startFilm(t, "/vod/seg_2/dur_12/ren_1/"+shape+"/manifest.mpd")
			var quiet []string
			if shape == "audio" {
				quiet = []string{"-v", "fatal"} // ffmpeg 5.1 complains at the end of numbered segments, with the origin too
			}
			got, want := frames(t, s.proxy.MPDURL(), quiet...), frames(t, s.Source, quiet...)
			if got != want || strings.Count(want, "\n") < 12*(25+46) {
				t.Errorf("%d lines of frames differ from the origin's %d", strings.Count(got, "\n"), strings.Count(want, "\n"))
			}
			if _, seeder, _ := s.report(t); seeder == 0 {
				t.Error("no byte came from the seeder")
			}
		})
	}
}

// TestDASHLivePlays lets ffmpeg play a live MPD at its pace, decoding every frame, and looks where the bytes came from.
func TestDASHLivePlays(t *testing.T) {
	t.Parallel()
	s := startStream(t, "/live/seg_2/window_10/ren_1/audio/manifest.mpd")
	ffmpeg(t, "-i", s.proxy.MPDURL(), "-t", "30", "-f", "null", "-")
	if _, _, offload := s.report(t); offload < 0.9 {
		t.Errorf("offload %.3f, want at least 0.9", offload)
	}
}
