package dash

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// longTimeline is an MPD with a timeline of n entries that nothing can shorten, for each of several representations.
func longTimeline(n, representations int) []byte {
	var b strings.Builder
	b.WriteString(`<MPD type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z" timeShiftBufferDepth="PT12H"><Period id="p" start="PT0S"><AdaptationSet mimeType="video/mp4">`)
	b.WriteString(`<SegmentTemplate timescale="1000" media="$RepresentationID$/$Time$.m4s" initialization="$RepresentationID$/i.mp4"><SegmentTimeline>`)
	start := 1_700_000_000_000
	for i := range n {
		d := 4000 + i%2
		fmt.Fprintf(&b, `<S t="%d" d="%d"/>`, start, d)
		start += d
	}
	b.WriteString(`</SegmentTimeline></SegmentTemplate>`)
	for i := range representations {
		fmt.Fprintf(&b, `<Representation id="v%d" bandwidth="%d" codecs="avc1.42c01e" width="%d" height="360"/>`, i, 100_000*(i+1), 640+i)
	}
	b.WriteString(`</AdaptationSet></Period></MPD>`)
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	body := longTimeline(10_000, 5)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(body, "https://cdn.example/a.mpd"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlaylist(b *testing.B) {
	p, err := Parse(longTimeline(10_000, 5), "https://cdn.example/a.mpd")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Unix(1_700_050_000, 0)
	b.ReportAllocs()
	for b.Loop() {
		list, err := p.Playlist(p.Renditions[0], now, nil)
		if err != nil || len(list.Segments) != 10_000 {
			b.Fatal(err, len(list.Segments))
		}
	}
}

func BenchmarkParseIndex(b *testing.B) {
	spec := indexSpec{Timescale: 1000, Sizes: make([]uint32, 10_000), Durations: make([]uint32, 10_000)}
	for i := range spec.Sizes {
		spec.Sizes[i], spec.Durations[i] = 1000, 4000
	}
	box := spec.box()
	b.ReportAllocs()
	for b.Loop() {
		if references, err := ParseIndex(box, 0); err != nil || len(references) != 10_000 {
			b.Fatal(err)
		}
	}
}
