package manifest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

func FuzzParseMultivariant(f *testing.F) {
	for _, c := range vectorCases(f, "identity.json", "hls_multivariant") {
		f.Add(decode[multivariantInput](f, c.Input).Playlist)
	}
	f.Add("#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXT-X-STREAM-INF:A=\"{$q}\"\n{$q}\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseMultivariant([]byte(text), "https://h/live/m.m3u8?q=1")
		if err != nil {
			if ReasonOf(err) == "" {
				t.Errorf("error without reason: %v", err)
			}
			return
		}
		names := make(map[string]bool)
		for _, r := range p.Renditions {
			if r.Name == "" || names[r.Name] || r.URI == "" {
				t.Errorf("rendition %+v", r)
			}
			names[r.Name] = true
			for _, g := range identity.Generations() {
				if hash := r.InfoHash(g, p.DefaultSwarmID); len(hash) != 20 && (hash != "" || identity.RulesOf(g).Default) {
					t.Errorf("info hash of %+v", r)
				}
			}
		}
	})
}

func FuzzParseMedia(f *testing.F) {
	for _, c := range vectorCases(f, "segments.json", "hls_media_playlist") {
		in := decode[struct{ Loads []struct{ Text string } }](f, c.Input)
		for _, load := range in.Loads {
			f.Add(load.Text, load.Text)
		}
	}
	f.Add("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-KEY:METHOD=AES-128\n\n#EXTINF:4\na", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"\"\n\r\n")
	f.Fuzz(func(t *testing.T, first, second string) {
		numbering := NewNumbering()
		var last *Playlist
		for _, text := range []string{first, second} {
			p, err := ParseMedia([]byte(text), base, Rendition{})
			if err != nil {
				if ReasonOf(err) == "" {
					t.Errorf("error without reason: %v", err)
				}
				return
			}
			numbering.Apply(p)
			if last != nil {
				p.shift(last)
			}
			last = p
			keys := make(map[string]bool)
			for _, s := range p.Segments {
				if s.Sequence < 0 || s.Sequence > maxInteger || s.ID(identity.V23) < 0 || s.Duration < 0 || s.Start < 0 || keys[s.Key()] {
					t.Errorf("segment %+v", s)
				}
				if s.Range != nil && (s.Range.Offset < 0 || s.Range.Length <= 0) {
					t.Errorf("range %+v", s.Range)
				}
				keys[s.Key()] = true
			}
			if p.Room() < 0 || p.LiveSyncSegments() < 0 || p.Window < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}

// FuzzPieces: it does not matter where a piece ends, and a text that was shortened
// names the same segments.
func FuzzPieces(f *testing.F) {
	for _, c := range vectorCases(f, "segments.json", "hls_media_playlist") {
		in := decode[struct{ Loads []struct{ Text string } }](f, c.Input)
		f.Add(in.Loads[0].Text, 7, int64(100))
	}
	f.Add(dvr(40, func(int) string { return "#EXT-X-BYTERANGE:10\n" }), 11, int64(300))
	f.Fuzz(func(t *testing.T, text string, size int, most int64) {
		if size < 1 || most < 1 || strings.Contains(text, "#EXT-X-SKIP") {
			return
		}
		m := newMediaReader(base, Rendition{}, most)
		var p *Playlist
		err := error(nil)
		for rest := text; rest != "" && err == nil; {
			n := min(size, len(rest))
			err = m.write([]byte(rest[:n]))
			rest = rest[n:]
		}
		if err == nil {
			p, err = m.end()
		}
		want, wantErr := ParseMedia([]byte(text), base, Rendition{})
		if ReasonOf(err) == ReasonTooLarge {
			return // of its text, which is not kept as a whole
		}
		if ReasonOf(err) != ReasonOf(wantErr) {
			t.Fatalf("%v in pieces, %v as a whole", err, wantErr)
		}
		if err != nil {
			return
		}
		whole := want.Segments
		if p.Entries != want.Entries || p.Window != want.Window || p.LastSequence() < want.LastSequence() {
			t.Errorf("%+v in pieces, %+v as a whole", p, want)
		}
		if p.Omitted == 0 {
			if string(p.Text) != text {
				t.Errorf("text %q, want %q", p.Text, text)
			}
			if len(p.Segments) != len(whole) {
				t.Errorf("%d segments, want %d", len(p.Segments), len(whole))
			}
			return
		}
		again, err := ParseMedia(p.Text, base, Rendition{})
		if err != nil {
			t.Fatalf("%v in %q", err, p.Text)
		}
		if len(again.Segments) != len(p.Segments) {
			t.Fatalf("%d segments in the text, %d in the playlist", len(again.Segments), len(p.Segments))
		}
		for i, s := range again.Segments {
			if s.Sequence != p.Segments[i].Sequence || s.Key() != p.Segments[i].Key() {
				t.Errorf("%+v in the text, %+v in the playlist", s, p.Segments[i])
			}
		}
	})
}

func FuzzBrowserURL(f *testing.F) {
	f.Add("https://h/a/../b?q#f", "../x y")
	f.Add("HTTP:\\\\H:80\\é", "//o/%2e%2e/")
	f.Fuzz(func(t *testing.T, raw, ref string) {
		once, err := browserURL(raw)
		if err != nil {
			return
		}
		if twice, err := browserURL(once); err != nil || twice != once {
			t.Errorf("%q gives %q, then %q, %v", raw, once, twice, err)
		}
		if next, err := browserResolve(once, ref); err == nil {
			if !strings.HasPrefix(next, "http://") && !strings.HasPrefix(next, "https://") {
				t.Errorf("%q from %q gives %q", ref, once, next)
			}
		}
	})
}

func FuzzContentRange(f *testing.F) {
	f.Add("bytes 0-9/10", int64(0), int64(-1))
	f.Add("bytes 5-9/*", int64(5), int64(9))
	f.Add("bytes 9007199254740991-9007199254740990/1", int64(1), int64(1))
	f.Fuzz(func(t *testing.T, text string, from, known int64) {
		first, last, whole, ok := parseContentRange(text)
		if ok && (first < 0 || last < first || (whole >= 0 && last >= whole)) {
			t.Errorf("%q is %d to %d of %d", text, first, last, whole)
		}
		w := wanted{from: max(from, 0), last: -1, known: max(known, -1), most: 1 << 20}
		answer := &http.Response{StatusCode: http.StatusPartialContent, ContentLength: -1, ProtoMajor: 2, Header: http.Header{"Content-Range": {text}}}
		expect, total, err := w.check(answer, base)
		if err == nil && (expect > w.most || total > w.most || (w.known >= 0 && total >= 0 && total != w.known)) {
			t.Errorf("%q from %d of %d: %d of %d bytes", text, w.from, w.known, expect, total)
		}
	})
}

func BenchmarkParseMedia1000(b *testing.B) {
	var text strings.Builder
	text.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:81234\n#EXT-X-MAP:URI=\"init.mp4\"\n")
	for i := range 1000 {
		_, _ = fmt.Fprintf(&text, "#EXT-X-PROGRAM-DATE-TIME:2026-11-22T10:%02d:%02d.000Z\n#EXTINF:4.000,\nseg-%d.m4s?token=abcdef\n", i/60%60, i%60, 81234+i)
	}
	body := []byte(text.String())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMedia(body, base, Rendition{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseMultivariant(b *testing.B) {
	cases := vectorCases(b, "identity.json", "hls_multivariant")
	in := decode[multivariantInput](b, cases[len(cases)-1].Input)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMultivariant([]byte(in.Playlist), in.URL); err != nil {
			b.Fatal(err)
		}
	}
}
