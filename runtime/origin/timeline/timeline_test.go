package timeline

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/p2pstream/p2pstream/runtime/origin/media"
	"github.com/p2pstream/p2pstream/runtime/origin/mux"
)

func catalog(t testing.TB) *Catalog {
	t.Helper()
	lib, err := media.Load()
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCatalog(lib)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func parse(t testing.TB, path string) Request {
	t.Helper()
	r, err := Parse(path)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return r
}

func TestParse(t *testing.T) {
	live := Knobs{Live: true, Segment: 4, Window: 10, Renditions: 3}
	vod := Knobs{Segment: 4, Window: 10, Renditions: 3, Duration: 120}
	with := func(k Knobs, f func(*Knobs)) Knobs { f(&k); return k }
	for path, want := range map[string]Request{
		"/live/master.m3u8":                         {Knobs: live, Kind: Multivariant},
		"/vod/master.m3u8":                          {Knobs: vod, Kind: Multivariant},
		"/live/360p.m3u8":                           {Knobs: live, Kind: MediaPlaylist, Track: "360p"},
		"/live/360p/init.mp4":                       {Knobs: live, Kind: Init, Track: "360p"},
		"/live/360p/450000123.m4s":                  {Knobs: live, Kind: Segment, Track: "360p", Sequence: 450000123},
		"/vod/480p/29.m4s":                          {Knobs: vod, Kind: Segment, Track: "480p", Sequence: 29},
		"/live/audio/audio/7.m4s":                   {Knobs: with(live, func(k *Knobs) { k.SeparateAudio = true }), Kind: Segment, Track: "audio", Sequence: 7},
		"/live/audio/audio.m3u8":                    {Knobs: with(live, func(k *Knobs) { k.SeparateAudio = true }), Kind: MediaPlaylist, Track: "audio"},
		"/live/ts/240p/0.ts":                        {Knobs: with(live, func(k *Knobs) { k.Container = mux.TS }), Kind: Segment, Track: "240p"},
		"/vod/byterange/240p.mp4":                   {Knobs: with(vod, func(k *Knobs) { k.ByteRange = true }), Kind: File, Track: "240p"},
		"/vod/ts/byterange/240p.ts":                 {Knobs: with(vod, func(k *Knobs) { k.ByteRange, k.Container = true, mux.TS }), Kind: File, Track: "240p"},
		"/live/seg_2/window_6/master.m3u8":          {Knobs: with(live, func(k *Knobs) { k.Segment, k.Window = 2, 6 }), Kind: Multivariant},
		"/live/window_6/seg_2/fmp4/master.m3u8":     {Knobs: with(live, func(k *Knobs) { k.Segment, k.Window = 2, 6 }), Kind: Multivariant},
		"/live/start_100/end_200/ren_1/master.m3u8": {Knobs: with(live, func(k *Knobs) { k.Start, k.End, k.Renditions = 100, 200, 1 }), Kind: Multivariant},
		"/vod/dur_7/slow_5/rate_800/truncate_50/status_503_25/down_10_20/notplaylist/redirect/master.m3u8": {Knobs: with(vod, func(k *Knobs) {
			k.Duration = 7
			k.Faults = Faults{SlowMs: 5, RateKbit: 800, Truncate: 50, Status: 503, StatusPercent: 25, DownFrom: 10, DownTo: 20, NotPlaylist: true, Redirect: true}
		}), Kind: Multivariant},
	} {
		if got := parse(t, path); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", path, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for path, want := range map[string]string{ // "" is ErrNotFound, "?" before the name of an unknown knob
		"/live/seg_x/master.m3u8": "seg_x", "/live/seg/master.m3u8": "seg", "/live/seg_/master.m3u8": "seg_",
		"/live/seg_0/master.m3u8": "seg_0", "/live/seg_61/master.m3u8": "seg_61", "/live/seg_04/master.m3u8": "seg_04",
		"/live/seg_-1/master.m3u8": "seg_-1", "/live/seg_4_4/master.m3u8": "seg_4_4",
		"/live/seg_99999999999999999999/master.m3u8": "seg_99999999999999999999",
		"/live/seg_4/seg_4/master.m3u8":              "seg_4", "/live/ts/fmp4/master.m3u8": "fmp4",
		"/live/dur_10/master.m3u8": "dur_10", "/vod/window_3/master.m3u8": "window_3", "/live/byterange/master.m3u8": "byterange",
		"/vod/start_0/master.m3u8": "start_0", "/live/ren_0/master.m3u8": "ren_0", "/live/ren_4/master.m3u8": "ren_4",
		"/live/status_200_10/master.m3u8": "status_200_10", "/live/status_500_101/master.m3u8": "status_500_101",
		"/live/status_500/master.m3u8": "status_500", "/live/down_20_10/master.m3u8": "down_20_10", "/live/down_0_61/master.m3u8": "down_0_61",
		"/live/fill_0/ren_1/master.m3u8": "fill_0", "/live/fill_10001/ren_1/master.m3u8": "fill_10001", "/live/seg_11/fill_9/ren_1/master.m3u8": "fill_9", "/live/fill_9/master.m3u8": "fill_9",
		"/vod/fill_9/ren_1/byterange/master.m3u8": "fill_9",
		"/live/start_100/end_103/master.m3u8":     "end_103", "/live/ts_1/master.m3u8": "ts_1",
		"/live/foo/master.m3u8": "?foo", "/live/foo_1/master.m3u8": "?foo_1", "/live//master.m3u8": "?", "/live/360p/1/2.m4s": "?360p",
		"/live": "", "/live/": "", "/other/master.m3u8": "", "/live/master": "", "/live/master.mpd": "", "/live/720p.m3u8": "",
		"/live/audio.m3u8": "", "/live/ren_1/480p.m3u8": "", "/live/360p/1.ts": "", "/live/ts/360p/1.m4s": "", "/live/1.m4s": "",
		"/live/ts/360p/init.mp4": "", "/vod/360p/30.m4s": "", "/vod/byterange/360p/1.m4s": "", "/vod/360p.mp4": "", "/live/360p/01.m4s": "?360p",
		"/vod/byterange/360p/init.mp4": "", "/live/" + strings.Repeat("ts/", 300) + "master.m3u8": "",
	} {
		_, err := Parse(path)
		var knob *KnobError
		switch {
		case errors.As(err, &knob):
			name, unknown := strings.CutPrefix(want, "?")
			if knob.Knob != name || knob.Unknown != unknown || !strings.Contains(err.Error(), fmt.Sprintf("%q", name)) {
				t.Errorf("%s: %v (unknown %v), want %q", path, err, knob.Unknown, want)
			}
		case !errors.Is(err, ErrNotFound) || want != "":
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

func TestLiveWindow(t *testing.T) {
	c := catalog(t)
	r := parse(t, "/live/start_1000/window_3/end_1030/360p.m3u8")
	for _, tc := range []struct {
		now, first, last int64 // last -1: not begun
		ended            bool
	}{
		{0, 0, -1, false}, {1003, 0, -1, false}, {1004, 0, 0, false}, {1007, 0, 0, false}, {1008, 0, 1, false},
		{1016, 1, 3, false}, {1029, 4, 6, false}, {1030, 4, 6, true}, {9999, 4, 6, true},
	} {
		b, err := c.AppendPlaylist(nil, r, tc.now)
		if tc.last < 0 {
			if !errors.Is(err, ErrNotStarted) {
				t.Errorf("at %d: %v", tc.now, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		for seq := tc.first - 1; seq <= tc.last+1; seq++ {
			if got, want := strings.Contains(text, fmt.Sprintf("360p/%d.m4s\n", seq)), seq >= tc.first && seq <= tc.last; got != want {
				t.Errorf("at %d: segment %d listed: %v\n%s", tc.now, seq, got, text)
			}
		}
		if !strings.Contains(text, fmt.Sprintf("#EXT-X-MEDIA-SEQUENCE:%d\n", tc.first)) || strings.Contains(text, "ENDLIST") != tc.ended {
			t.Errorf("at %d:\n%s", tc.now, text)
		}
	}
}

func TestPlaylistTexts(t *testing.T) {
	c := catalog(t)
	for path, want := range map[string]string{
		"/live/start_1000/window_2/360p.m3u8": "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-INDEPENDENT-SEGMENTS\n" +
			"#EXT-X-MAP:URI=\"360p/init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:52.000Z\n" +
			"#EXTINF:4.000000,\n360p/3.m4s\n#EXTINF:4.000000,\n360p/4.m4s\n",
		"/live/start_1000/window_2/ts/audio/audio.m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-INDEPENDENT-SEGMENTS\n" +
			"#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:51.989Z\n" +
			"#EXTINF:4.010667,\naudio/3.ts\n#EXTINF:3.989333,\naudio/4.ts\n",
		"/vod/dur_6/ts/240p.m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n" +
			"#EXTINF:4.000000,\n240p/0.ts\n#EXTINF:2.000000,\n240p/1.ts\n#EXT-X-ENDLIST\n",
	} {
		got, err := c.AppendPlaylist(nil, parse(t, path), 1020)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", path, err, got, want)
		}
	}
}

// BANDWIDTH must be the rate of the largest segment and no less, at every length
// of segments.
func TestBandwidthIsTrue(t *testing.T) {
	c := catalog(t)
	for _, path := range []string{"/live/ren_1/fill_3000/240p.m3u8", "/live/ts/ren_1/fill_300/240p.m3u8"} {
		r := parse(t, path)
		peak, mean := c.rates(r.Knobs, r.Track)
		var most, sum int64
		for r.Sequence = 1000; r.Sequence < 1048; r.Sequence++ {
			n := int64(len(c.AppendSegment(nil, r))) * 8
			most, sum = max(most, n), sum+n
		}
		if peak != most/4 || mean != sum/48/4 {
			t.Errorf("%s: peak %d and mean %d, measured %d and %d", path, peak, mean, most/4, sum/48/4)
		}
	}
	for _, path := range []string{"/live/%s240p.m3u8", "/live/ts/%s360p.m3u8", "/live/audio/%saudio.m3u8"} {
		for _, seg := range []int64{1, 3, 4, 6, 16, 25} {
			r := parse(t, fmt.Sprintf(path, fmt.Sprintf("seg_%d/", seg)))
			peak, mean := c.rates(r.Knobs, r.Track)
			var most, sum int64
			const segments = 48
			for r.Sequence = 1000; r.Sequence < 1000+segments; r.Sequence++ {
				n := int64(len(c.AppendSegment(nil, r))) * 8
				most, sum = max(most, n), sum+n
			}
			if want := (most + seg - 1) / seg; peak != want || mean != sum/seg/segments {
				t.Errorf("%s with %d s: peak %d and mean %d, measured %d and %d", path, seg, peak, mean, want, sum/seg/segments)
			}
		}
	}
}

// A filled segment has the rate that was asked for, or as much more as a packet has; one that is larger stays as it is.
func TestFilledSegments(t *testing.T) {
	c := catalog(t)
	for path, rate := range map[string]int64{
		"/live/ren_1/fill_3000/240p/%d.m4s": 3_000_000, "/live/ren_1/ts/fill_3000/240p/%d.ts": 3_000_000,
		"/live/ren_1/fill_1/240p/%d.m4s": 0, "/live/ren_1/audio/fill_3000/audio/%d.m4s": 0,
	} {
		for seq := range int64(20) {
			filled := c.AppendSegment([]byte("before"), parse(t, fmt.Sprintf(path, seq)))
			if want := rate / 8 * 4; rate > 0 && (int64(len(filled))-6 < want || int64(len(filled))-6 >= want+188) {
				t.Errorf("%s: segment %d has %d bytes, want %d", path, seq, len(filled)-6, want)
			}
			plain := c.AppendSegment([]byte("before"), parse(t, fmt.Sprintf(regexp.MustCompile(`fill_\d+/`).ReplaceAllString(path, ""), seq)))
			if !strings.HasPrefix(string(filled), string(plain)) || rate == 0 && len(filled) != len(plain) {
				t.Errorf("%s: segment %d does not begin with the media, or has more", path, seq)
			}
		}
	}
}

func TestRangeFile(t *testing.T) {
	c := catalog(t)
	for _, path := range []string{"/vod/dur_22/byterange/240p.mp4", "/vod/dur_9/byterange/ts/audio/audio.ts"} {
		r := parse(t, path)
		want := append([]byte(nil), c.Init(r)...)
		for r.Sequence = 0; r.Sequence < r.Knobs.Count(0); r.Sequence++ {
			want = c.AppendSegment(want, r)
		}
		f := c.RangeFile(r)
		if f.Size() != int64(len(want)) {
			t.Fatalf("%s: size %d, want %d", path, f.Size(), len(want))
		}
		if err := iotest.TestReader(f, want); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := f.Seek(-1, io.SeekStart); err == nil {
			t.Error("an offset before the start")
		}
		if _, err := f.Seek(0, 9); err == nil {
			t.Error("whence 9")
		}
	}
}

func TestFaults(t *testing.T) {
	playlist, segment := "360p.m3u8", "360p/5.m4s"
	for _, c := range []struct {
		path string
		now  int64
		want Fault
	}{
		{"/live/master.m3u8", 0, Fault{}},
		{"/live/down_10_20/master.m3u8", 69, Fault{}},
		{"/live/down_10_20/master.m3u8", 70, Fault{Status: 503}},
		{"/live/down_10_20/" + segment, 79, Fault{Status: 503}},
		{"/live/down_10_20/" + segment, 80, Fault{}},
		{"/live/redirect/master.m3u8", 0, Fault{Redirect: true}},
		{"/live/redirect/" + playlist, 0, Fault{}},
		{"/live/notplaylist/" + playlist, 0, Fault{Garbage: true}},
		{"/live/notplaylist/" + segment, 0, Fault{}},
		{"/live/truncate_100/" + segment, 0, Fault{Truncate: true}},
		{"/live/truncate_0/" + segment, 0, Fault{}},
		{"/live/truncate_100/" + playlist, 0, Fault{}},
		{"/live/status_404_100/" + segment, 0, Fault{Status: 404}},
		{"/live/status_404_100/360p/init.mp4", 0, Fault{}},
		{"/live/slow_20/rate_64/" + segment, 0, Fault{Delay: 20e6, RateKbit: 64}},
	} {
		if got := parse(t, c.path).Fault(c.path, c.now); got != c.want {
			t.Errorf("%s at %d: %+v, want %+v", c.path, c.now, got, c.want)
		}
	}
}

func TestChance(t *testing.T) {
	hits := 0
	for seq := range 4000 {
		path := fmt.Sprintf("/live/truncate_30/360p/%d.m4s", seq)
		r := parse(t, path)
		first, again := r.Fault(path, 77), r.Fault(path, 77)
		if first != again {
			t.Fatalf("%s: not the same twice", path)
		}
		if first.Truncate {
			hits++
		}
	}
	if hits < 1000 || hits > 1400 {
		t.Errorf("%d of 4000 are truncated, want about 1200", hits)
	}
	path, retried := "/live/truncate_50/360p/1.m4s", false
	r := parse(t, path)
	for now := int64(1); now < 20; now++ {
		retried = retried || r.Fault(path, now) != r.Fault(path, 0)
	}
	if !retried {
		t.Error("a later retry never has better luck")
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range []string{
		"/live/master.m3u8", "/vod/dur_9/byterange/ts/audio/audio.ts", "/live/360p/5.m4s", "/live/seg_4/window_6/fmp4/audio/audio/1.m4s",
		"/live/status_503_20/down_0_60/truncate_3/slow_1/rate_9/redirect/notplaylist/start_5/end_99/ren_2/240p.m3u8", "/live/seg_-4/.m3u8", "//",
	} {
		f.Add(p)
	}
	c := catalog(f)
	f.Fuzz(func(t *testing.T, path string) {
		r, err := Parse(path)
		if err != nil {
			return
		}
		const now = 1_795_367_389
		r.Fault(path, now)
		switch r.Kind {
		case Multivariant:
			if b := c.AppendMultivariant(nil, r.Knobs); len(b) > 2000 {
				t.Fatalf("%d bytes", len(b))
			}
		case MediaPlaylist:
			if b, err := c.AppendPlaylist(nil, r, now); err == nil && (len(b) > 2<<20 || len(b) < 100) {
				t.Fatalf("%d bytes", len(b))
			}
		case Segment:
			if r.Sequence < r.Knobs.Count(now) {
				if b := c.AppendSegment(nil, r); len(b) < 100 || len(b) > 8<<20 {
					t.Fatalf("%d bytes", len(b))
				}
			}
		case File:
			if f := c.RangeFile(r); f.Size() < 100 {
				t.Fatal("an empty file")
			}
		}
	})
}

func BenchmarkPlaylist(b *testing.B) {
	c := catalog(b)
	r := parse(b, "/live/360p.m3u8")
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = c.AppendPlaylist(buf[:0], r, 1_795_367_389)
	}
}
