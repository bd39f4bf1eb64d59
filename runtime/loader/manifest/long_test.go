package manifest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// dvr is the text of a playlist of n entries; each adds what extra returns.
func dvr(n int, extra func(i int) string) string {
	var b strings.Builder
	b.WriteString("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:3\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-SEQUENCE:100\n")
	for i := range n {
		b.WriteString(extra(i))
		_, _ = fmt.Fprintf(&b, "#EXTINF:3.000,\nv-%d.ts\n", i)
	}
	return b.String()
}

func plainEntry(int) string { return "" }

func TestLongPlaylistsKeepTheirNewestPart(t *testing.T) {
	const n = 28_800
	for name, c := range map[string]struct {
		end   string
		id    int64 // of the last segment
		ended bool
	}{
		"live":  {"", 100 + n - 1, false},
		"ended": {"#EXT-X-ENDLIST\n", n - 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := ParseMedia([]byte(dvr(n, plainEntry)+c.end), base, Rendition{})
			if err != nil {
				t.Fatal(err)
			}
			first, last := p.Segments[0], p.Segments[len(p.Segments)-1]
			if p.Omitted != n-maxEntries || len(p.Segments) != maxEntries || p.Entries != n || p.MediaSequence != 100 || p.Ended != c.ended {
				t.Errorf("%d omitted, %d segments, %d entries from %d", p.Omitted, len(p.Segments), p.Entries, p.MediaSequence)
			}
			if first.Sequence != 100+p.Omitted || !strings.HasSuffix(first.URL, fmt.Sprintf("/v-%d.ts", p.Omitted)) || first.Start != time.Duration(p.Omitted)*3*time.Second {
				t.Errorf("first %+v", first)
			}
			if p.LastSequence() != 100+n-1 || last.ID(identity.V23) != c.id || !strings.HasSuffix(last.URL, "/v-28799.ts") || p.Window != 24*time.Hour {
				t.Errorf("last %+v, window %v", last, p.Window)
			}
		})
	}
}

// TestReadInPieces: where a piece ends changes nothing.
func TestReadInPieces(t *testing.T) {
	for _, text := range []string{
		dvr(300, func(i int) string {
			return fmt.Sprintf("#EXT-X-PROGRAM-DATE-TIME:2026-11-28T12:00:%02d.000Z\r\n", i%60)
		}),
		"\ufeff" + dvr(3, plainEntry) + "#EXT-X-ENDLIST",
		strings.ReplaceAll(dvr(50, plainEntry), "\n", "\r"),
	} {
		want, err := ParseMedia([]byte(text), base, Rendition{})
		if err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 3, 1000, 4096} {
			m := newMediaReader(base, Rendition{}, 1<<20)
			for rest := []byte(text); len(rest) > 0; {
				n := min(size, len(rest))
				if err := m.write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			got, err := m.end()
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Text) != text {
				t.Errorf("pieces of %d: text of %d bytes, not %d", size, len(got.Text), len(text))
			}
			got.Text = nil
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(Playlist{}, Segment{})); diff != "" {
				t.Errorf("pieces of %d: %s", size, diff)
			}
		}
	}
}

// TestShortenedText gives players a playlist that begins later, and names the same.
func TestShortenedText(t *testing.T) {
	extra := func(i int) string {
		text := ""
		if i == 0 {
			text = "#EXT-X-DEFINE:NAME=\"d\",VALUE=\"x\"\n#EXT-X-MAP:URI=\"init0.mp4\"\n"
		}
		if i == 7 {
			text = "#EXT-X-DISCONTINUITY\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"s\",KEYFORMAT=\"f\"\n#EXT-X-MAP:URI=\"{$d}.mp4\"\n"
		}
		return text + "#EXT-X-BYTERANGE:10\n"
	}
	text := dvr(500, extra)
	m := newMediaReader(base, Rendition{}, 4000)
	if err := m.write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	p, err := m.end()
	if err != nil {
		t.Fatal(err)
	}
	if p.Omitted == 0 || len(p.Text) > 5000 || int(p.Omitted)+len(p.Segments) != 500 {
		t.Fatalf("%d omitted, %d segments, text of %d bytes", p.Omitted, len(p.Segments), len(p.Text))
	}
	again, err := ParseMedia(p.Text, base, Rendition{})
	if err != nil {
		t.Fatalf("%v in\n%s", err, p.Text[:600])
	}
	if len(again.Segments) != len(p.Segments) || again.TargetDuration != p.TargetDuration {
		t.Fatalf("%d segments, not %d", len(again.Segments), len(p.Segments))
	}
	for i, s := range again.Segments {
		want := p.Segments[i]
		if s.Sequence != want.Sequence || s.Key() != want.Key() || s.Encrypted != want.Encrypted || s.Init.Key() != want.Init.Key() {
			t.Fatalf("segment %d: %+v, want %+v", i, s, want)
		}
	}
	for _, line := range []string{"#EXT-X-DISCONTINUITY-SEQUENCE:1\n", "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n", "KEYFORMAT=\"f\"\n", "#EXT-X-VERSION:6\n", "#EXT-X-BYTERANGE:10@"} {
		if bytes.Count(p.Text, []byte(line)) != 1 {
			t.Errorf("not once in the text: %q", line)
		}
	}
	if bytes.Contains(p.Text, []byte("EVENT")) || !bytes.HasPrefix(p.Text, []byte("#EXTM3U\n")) {
		t.Errorf("begins %q", p.Text[:100])
	}
	var named []string
	if _, err := RewriteMedia(p.Text, base, Rendition{}, func(r Reference) string {
		if r.Kind == RefSegment {
			named = append(named, r.Key())
		}
		return "x"
	}); err != nil {
		t.Fatal(err)
	}
	if len(named) != len(p.Segments) || named[0] != p.Segments[0].Key() {
		t.Errorf("%d names, the first %v", len(named), named[:1])
	}
}

// TestLongURLsKeepTheNewest has URLs of more bytes than are kept together.
func TestLongURLsKeepTheNewest(t *testing.T) {
	long := "https://h/" + strings.Repeat("d", maxURLBytes-100) + "/v.m3u8"
	p, err := ParseMedia(mediaText(strings.Repeat("#EXTINF:1,\na.ts\n", 3000)+"#EXTINF:1,\nlast.ts"), long, Rendition{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Omitted < 900 || p.Omitted > 1000 || p.Entries != 3001 || p.LastSequence() != 3000 {
		t.Errorf("%d omitted of %d, last %d", p.Omitted, p.Entries, p.LastSequence())
	}
}

func TestLoadLongPlaylist(t *testing.T) {
	long := dvr(50_000, plainEntry)
	for name, c := range map[string]struct {
		body   func() io.Reader
		most   int64
		want   Reason
		bound  string
		second int64 // sequence of the first segment kept
	}{
		"by count":        {func() io.Reader { return strings.NewReader(long) }, 0, "", boundSegments, 100 + 50_000 - maxEntries},
		"by bytes":        {func() io.Reader { return strings.NewReader(dvr(1000, plainEntry)) }, 3000, "", boundText, 0},
		"longer than all": {func() io.Reader { return strings.NewReader(dvr(10_000, plainEntry)) }, 3000, ReasonTooLarge, "", 0},
		"one line": {func() io.Reader {
			return strings.NewReader("#EXTM3U\n#EXT-X-TARGETDURATION:3\n" + strings.Repeat("#\n", 6000))
		}, 3000, ReasonTooLarge, "", 0},
		"cut": {func() io.Reader {
			return io.MultiReader(strings.NewReader(long[:500_000]), iotest.ErrReader(io.ErrUnexpectedEOF))
		}, 0, ReasonTruncated, "", 0},
		"not a playlist": {func() io.Reader { return strings.NewReader("<html>" + strings.Repeat("x", 1<<20)) }, 0, ReasonNotPlaylist, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			reg := prometheus.NewRegistry()
			s := newSource(t, SourceConfig{URL: base, MaxPlaylistBytes: c.most, Registerer: reg, Transport: fake(func(*http.Request) (*http.Response, error) {
				a := answer(200, "")
				a.ContentLength, a.Body = -1, io.NopCloser(c.body())
				return a, nil
			})})
			p, err := s.LoadPlaylist(t.Context(), mainRendition)
			if ReasonOf(err) != c.want {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if c.want != "" {
				if n := counted(t, reg, "p2pstream_manifest_playlist_loads_total", string(c.want)); n != 1 {
					t.Errorf("counted %v times", n)
				}
				return
			}
			if n := counted(t, reg, "p2pstream_manifest_shortened_playlists_total", c.bound); n != 1 || p.Omitted == 0 {
				t.Errorf("%d omitted, counted %v times", p.Omitted, n)
			}
			if c.second > 0 && p.Segments[0].Sequence != c.second {
				t.Errorf("begins at %d, want %d", p.Segments[0].Sequence, c.second)
			}
		})
	}
}

// TestLongPlaylistAsManifest opens a media playlist that is longer than a
// multivariant one may be.
func TestLongPlaylistAsManifest(t *testing.T) {
	text := dvr(1000, plainEntry)
	s := newSource(t, SourceConfig{URL: base, MaxPlaylistBytes: 3000, Transport: fake(func(*http.Request) (*http.Response, error) {
		return answer(200, text), nil
	})})
	p, err := s.Load(t.Context())
	if err != nil || len(p.Renditions) != 1 || p.Text != nil {
		t.Fatalf("%+v, %v", p, err)
	}
	list, err := s.LoadPlaylist(t.Context(), p.Renditions[0])
	if err != nil || list.Omitted == 0 || list.Entries != 1000 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestMemoryOfLongPlaylists reads one of 12 MB: what is kept is what counts.
func TestMemoryOfLongPlaylists(t *testing.T) {
	block := []byte(strings.Repeat("#EXTINF:3.000,\nsegment-of-a-long-event.ts\n", 1000))
	const blocks = 300
	var before, after runtime.MemStats
	m := newMediaReader(base, Rendition{}, defaultMaxPlaylist)
	if err := m.write([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:3\n")); err != nil {
		t.Fatal(err)
	}
	most := uint64(0)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range blocks {
		if err := m.write(block); err != nil {
			t.Fatal(err)
		}
		if i%50 == 49 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc-min(before.HeapAlloc, after.HeapAlloc))
		}
	}
	p, err := m.end()
	if err != nil {
		t.Fatal(err)
	}
	if p.Entries != 1000*blocks || p.Omitted != 1000*blocks-maxEntries {
		t.Errorf("%d entries, %d omitted", p.Entries, p.Omitted)
	}
	if most > 24<<20 {
		t.Errorf("%d MiB in use for a playlist of %d MiB", most>>20, blocks*len(block)>>20)
	}
	runtime.KeepAlive(m)
}

func benchmarkLong(b *testing.B, text string) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	body := []byte(text)
	for b.Loop() {
		m := newMediaReader(base, mainRendition, defaultMaxPlaylist)
		if err := m.write(body); err != nil {
			b.Fatal(err)
		}
		if _, err := m.end(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDay(b *testing.B)  { benchmarkLong(b, dvr(28_800, plainEntry)) }
func BenchmarkWeek(b *testing.B) { benchmarkLong(b, dvr(7*28_800, plainEntry)) }
