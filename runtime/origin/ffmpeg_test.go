package origin

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// decode plays url with ffmpeg under extra input options and returns, by stream, when each decoded frame
// begins, in the frames and samples of framecrc. Anything that ffmpeg has to
// complain about fails the test.
func decode(t *testing.T, url string, args ...string) map[string][]int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{"-nostdin", "-v", "error", "-xerror", "-threads", "1"}, args...)
	args = append(args, "-i", url, "-map", "0:v:0", "-map", "0:a:0", "-fps_mode", "passthrough", "-f", "framecrc", "-")
	cmd := exec.CommandContext(ctx, "ffmpeg", args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	streams := map[string][]int64{}
	for line := range strings.Lines(stdout.String()) {
		if fields := strings.Split(line, ","); len(fields) >= 6 && line[0] != '#' {
			dts, err := strconv.ParseInt(strings.TrimSpace(fields[1]), 10, 64)
			if err != nil {
				t.Fatalf("framecrc line %q", line)
			}
			streams[fields[0]] = append(streams[fields[0]], dts)
		}
	}
	return streams
}

// clean checks that the frames follow each other without a gap or an overlap.
func clean(t *testing.T, streams map[string][]int64, seconds int) {
	t.Helper()
	for name, step := range map[string]int64{"0": 1, "1": 1024} {
		list := streams[name]
		for i := 1; i < len(list); i++ {
			if list[i]-list[i-1] != step {
				t.Fatalf("stream %s: frame %d comes %d after the one before, not %d", name, i, list[i]-list[i-1], step)
			}
		}
		want := seconds * 25
		if name == "1" {
			want = seconds * 48000 / 1024
		}
		if len(list) < want-1 || len(list) > want+2 {
			t.Errorf("stream %s has %d frames, want about %d", name, len(list), want)
		}
	}
}

var shapes = []string{"fmp4", "ts", "fmp4/audio", "ts/audio"}

// A live stream is played for 60 s over three loop boundaries while a fast clock
// publishes it, until it ends.
func TestLiveDecodes(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			const speed = 16
			begin := sync.OnceValue(time.Now) // the clock begins when ffmpeg asks for the first time
			s, url := start(t, func() time.Time { return today.Add(speed * time.Since(begin())) })
			// With a window of 70 s nothing that ffmpeg has not read is gone.
			path := fmt.Sprintf("/live/seg_1/window_70/start_%d/end_%d/ren_1/%s/master.m3u8", today.Unix()-3, today.Unix()+57, shape)
			clean(t, decode(t, url+path, "-live_start_index", "0"), 60)
			if n := s.Stats().Kinds[KindPlaylist].Requests; n < 4 {
				t.Errorf("%d playlists were enough: that was not live", n)
			}
		})
	}
}

// With the default epoch the timestamps are those of the Unix clock.
func TestLiveSinceEpochDecodes(t *testing.T) {
	t.Parallel()
	for _, shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			_, url := start(t, nil)
			path := fmt.Sprintf("/live/window_15/end_%d/ren_1/%s/master.m3u8", today.Unix()-2, shape)
			clean(t, decode(t, url+path), 60)
		})
	}
}

func TestVODDecodes(t *testing.T) {
	t.Parallel()
	for _, shape := range append(shapes, "fmp4/fill_3000", "ts/fill_3000", "fmp4/byterange", "ts/byterange", "ts/audio/byterange", "seg_6/fmp4/audio/byterange") {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			_, url := start(t, nil)
			clean(t, decode(t, fmt.Sprintf("%s/vod/dur_38/ren_1/%s/master.m3u8", url, shape)), 38)
		})
	}
}

// What the multivariant playlist says about the media must be what a decoder
// finds in it.
func TestMultivariantIsTrue(t *testing.T) {
	_, url := start(t, nil)
	_, master, err := get(t, url+"/vod/master.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range []string{"426x240", "640x360", "854x480"} {
		name := []string{"240p", "360p", "480p"}[i]
		out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries",
			"stream=codec_name,profile,width,height,level,r_frame_rate,sample_rate,channels", "-of", "compact", url+"/vod/dur_4/"+name+".m3u8").Output()
		if err != nil {
			t.Fatal(err)
		}
		var level int
		for _, field := range strings.FieldsFunc(string(out), func(r rune) bool { return r == '|' || r == '\n' }) {
			if v, ok := strings.CutPrefix(field, "level="); ok && level == 0 {
				if level, err = strconv.Atoi(v); err != nil {
					t.Fatal(err)
				}
			}
		}
		w, h, _ := strings.Cut(size, "x")
		for _, want := range []string{"codec_name=h264", "profile=Main", "width=" + w, "height=" + h, "r_frame_rate=25/1", "codec_name=aac", "profile=LC", "sample_rate=48000", "channels=2"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s: no %s in %s", name, want, out)
			}
		}
		line := fmt.Sprintf("CODECS=\"avc1.4d40%02x,mp4a.40.2\",RESOLUTION=%s,FRAME-RATE=25.000\n%s.m3u8\n", level, size, name)
		if !strings.Contains(string(master), line) {
			t.Errorf("no line %q in\n%s", line, master)
		}
	}
}
