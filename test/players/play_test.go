package players

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// TestLivePlaysForAMinute lets ffmpeg play a live stream at its pace, decoding
// every frame, and looks where the bytes came from.
func TestLivePlaysForAMinute(t *testing.T) {
	t.Parallel()
	s := startStream(t, "/live/seg_2/window_10/master.m3u8")
	ffmpeg(t, "-i", s.url, "-t", "60", "-f", "null", "-")
	_, _, offload := s.report(t)
	if offload < 0.9 {
		t.Errorf("offload %.3f, want at least 0.9", offload)
	}
	s.stopProxy() // it reports once more when it leaves
	own := s.proxy.Snapshot().Total.Bytes
	lab.Eventually(t, waitTime, "the tracker to have counted what the proxy received", func() bool {
		c := s.Stats(t).Offload.Totals
		return c.HTTP == own.HTTP && c.Seeder == own.Seeder && c.Viewer == own.Viewer
	})
}

// TestFramesAreTheOrigins copies whole films through the proxy and from the
// origin, and compares every frame and its time.
func TestFramesAreTheOrigins(t *testing.T) {
	t.Parallel()
	for _, shape := range []string{"ts", "ts/audio", "fmp4", "fmp4/audio"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			s := startFilm(t, "/vod/seg_2/dur_30/"+shape+"/master.m3u8")
			got, want := frames(t, s.url), frames(t, s.Source)
			if got != want || strings.Count(want, "\n") < 30*(25+46) {
				t.Errorf("%d lines of frames differ from the origin's %d", strings.Count(got, "\n"), strings.Count(want, "\n"))
			}
			entries := []string{"-v", "error", "-show_entries", "stream=index,codec_name,profile,width,height,sample_rate:program=program_id,nb_streams", "-of", "json"}
			if got, want := run(t, "ffprobe", append(entries, s.url)...), run(t, "ffprobe", append(entries, s.Source)...); got != want || len(want) < 500 {
				t.Errorf("ffprobe finds\n%s\nbut at the origin\n%s", got, want)
			}
			if _, seeder, _ := s.report(t); seeder == 0 {
				t.Error("no byte came from the seeder")
			}
		})
	}
}

// frames lists the digest and the time of every frame that ffmpeg finds.
func frames(t *testing.T, url string, args ...string) string {
	t.Helper()
	args = append(args, "-i", url, "-c", "copy", "-f", "framemd5", "-")
	return ffmpeg(t, args...)
}

// TestThreePlayersAtOnce plays three renditions from three places through one
// proxy. Each gets what the origin would give it, and no segment comes twice. (In
// TS: ffmpeg 5.1 reads fMP4 wrongly when it seeks in one of several renditions.)
func TestThreePlayersAtOnce(t *testing.T) {
	t.Parallel()
	s := startFilm(t, "/vod/seg_2/dur_60/ts/master.m3u8")
	var work sync.WaitGroup
	for i, from := range []string{"0", "20", "40"} {
		work.Go(func() {
			play := func(url string) string {
				return ffmpeg(t, "-ss", from, "-i", url, "-map", fmt.Sprintf("0:p:%d", i), "-t", "20", "-c", "copy", "-f", "framemd5", "-")
			}
			if got, want := play(s.url), play(s.Source); got != want || strings.Count(want, "\n") < 20*(25+46) {
				t.Errorf("player %d: %d lines of frames differ from the origin's %d", i, strings.Count(got, "\n"), strings.Count(want, "\n"))
			}
		})
	}
	work.Wait()
	if c := s.proxy.Engine().Counters(); c.Segments > 3*30 {
		t.Errorf("%d segments were taken in, of a film that has 90", c.Segments)
	}
	if _, seeder, _ := s.report(t); seeder == 0 {
		t.Error("no byte came from the seeder")
	}
}

// TestSwitchingRenditions reads a film as a player that changes quality every
// three segments.
func TestSwitchingRenditions(t *testing.T) {
	t.Parallel()
	s := startFilm(t, "/vod/seg_2/dur_36/fmp4/master.m3u8")
	through, from := readMultivariant(t, s.url), readMultivariant(t, s.Source)
	var got, want [3]media
	for n := range int64(18) {
		i := int(n/3) % 3
		if n < 9 && n%3 == 0 {
			got[i], want[i] = readMedia(t, through[i]), readMedia(t, from[i])
		}
		same(t, fmt.Sprintf("segment %d of %s", n, from[i]), got[i].segments[n], want[i].segments[n])
	}
	if _, _, offload := s.report(t); offload < 0.7 {
		t.Errorf("offload %.2f: each change of quality went to the origin", offload)
	}
}

// TestThePlayerDoesNotNoticeThatTheMeshDies stops seeder and tracker while
// ffmpeg plays.
func TestThePlayerDoesNotNoticeThatTheMeshDies(t *testing.T) {
	t.Parallel()
	s := startStream(t, "/live/seg_2/window_10/ren_2/master.m3u8")
	var work sync.WaitGroup
	began := time.Now()
	work.Go(func() { ffmpeg(t, "-i", s.url, "-t", "36", "-f", "null", "-") })
	lab.Eventually(t, waitTime, "ffmpeg to play from the seeder", func() bool {
		return s.proxy.Engine() != nil && s.proxy.Engine().Counters().Seeder > 500_000
	})
	s.stopSeeder()
	s.StopTracker()
	before := s.proxy.Engine().Counters()
	t.Logf("the mesh died after %v: %+v", time.Since(began).Round(time.Second), before)
	work.Wait()
	if http, _, _ := s.report(t); http-before.HTTP < 500_000 {
		t.Errorf("%d bytes came from the origin after the mesh had died; what was played then?", http-before.HTTP)
	}
}
