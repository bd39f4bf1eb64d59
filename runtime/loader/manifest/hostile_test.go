package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const base = "https://cdn.example.com/live/v.m3u8"

func mediaText(lines ...string) []byte {
	return []byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n" + strings.Join(lines, "\n") + "\n")
}

func TestHostileMediaPlaylists(t *testing.T) {
	many := strings.Repeat("#EXTINF:1,\na.ts\n", maxEntries+1)
	cases := []struct {
		name string
		body []byte
		want Reason
	}{
		{"empty", nil, ReasonNotPlaylist},
		{"web page", []byte("<html>"), ReasonNotPlaylist},
		{"DASH", []byte("<?xml version=\"1.0\"?><MPD></MPD>"), ReasonNotPlaylist},
		{"multivariant", []byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n"), ReasonInvalid},
		{"duration NaN", mediaText("#EXTINF:NaN,", "a.ts"), ReasonInvalid},
		{"duration Inf", mediaText("#EXTINF:Inf,", "a.ts"), ReasonInvalid},
		{"duration exponent", mediaText("#EXTINF:1e300,", "a.ts"), ReasonInvalid},
		{"duration negative", mediaText("#EXTINF:-1,", "a.ts"), ""},
		{"duration negative and more", mediaText("#EXTINF:--1,", "a.ts"), ReasonInvalid},
		{"duration of a sign", mediaText("#EXTINF:-,", "a.ts"), ReasonInvalid},
		{"duration dots", mediaText("#EXTINF:1.2.3,", "a.ts"), ReasonInvalid},
		{"duration dot", mediaText("#EXTINF:.,", "a.ts"), ReasonInvalid},
		{"duration huge", mediaText("#EXTINF:"+strings.Repeat("9", 400)+",", "a.ts"), ReasonTooLarge},
		{"duration of two days", mediaText("#EXTINF:172800,", "a.ts"), ReasonTooLarge},
		{"target duration huge", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:999999\n"), ReasonTooLarge},
		{"target duration not a number", []byte("#EXTM3U\n#EXT-X-TARGETDURATION:x\n"), ReasonInvalid},
		{"sequence beyond 2^53", mediaText("#EXT-X-MEDIA-SEQUENCE:9007199254740993"), ReasonTooLarge},
		{"sequence just below 2^53", mediaText("#EXT-X-MEDIA-SEQUENCE:9007199254740991", "#EXTINF:1,", "a"), ReasonTooLarge},
		{"sequence beyond 2^64", mediaText("#EXT-X-MEDIA-SEQUENCE:" + strings.Repeat("9", 40)), ReasonTooLarge},
		{"sequence negative", mediaText("#EXT-X-MEDIA-SEQUENCE:-1"), ReasonInvalid},
		{"range overflow", mediaText("#EXTINF:1,", "#EXT-X-BYTERANGE:9007199254740991@9007199254740991", "a"), ReasonTooLarge},
		{"range negative", mediaText("#EXTINF:1,", "#EXT-X-BYTERANGE:-1@0", "a"), ReasonInvalid},
		{"range empty", mediaText("#EXTINF:1,", "#EXT-X-BYTERANGE:0@5", "a"), ReasonInvalid},
		{"map range overflow", mediaText(`#EXT-X-MAP:URI="i",BYTERANGE="1@99999999999999999999"`), ReasonTooLarge},
		{"map without URI", mediaText(`#EXT-X-MAP:BYTERANGE="1@9"`), ReasonInvalid},
		{"skip huge", mediaText("#EXT-X-SKIP:SKIPPED-SEGMENTS=99999999"), ReasonTooLarge},
		{"too many segments", mediaText(many), ""},
		{"long line", mediaText("#EXTINF:1,", strings.Repeat("a", maxLineBytes+1)), ReasonTooLarge},
		{"too many attributes", mediaText("#EXT-X-KEY:" + manyAttributes()), ReasonTooLarge},
		{"variable bomb", mediaText(variableBomb()), ReasonTooLarge},
		{"variable used often", mediaText(longVariable + strings.Repeat("#EXTINF:1,\n{$v}.ts\n", 2000)), ReasonTooLarge},
		{"variable in attributes", mediaText(longVariable + strings.Repeat(`#EXT-X-KEY:METHOD=NONE,A="{$v}"`+"\n", 2000)), ReasonTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := ParseMedia(c.body, base, Rendition{})
			if ReasonOf(err) != c.want {
				t.Errorf("got %v, %v; want %s", p, err, c.want)
			}
		})
	}
}

// longVariable takes more room each time that it is used than its use does.
var longVariable = `#EXT-X-DEFINE:NAME="v",VALUE="` + strings.Repeat("x", 10_000) + `"` + "\n"

// TestURLsAreBoundedTogether reads a playlist whose own URL is long, so that each name in it becomes a long URL.
func TestURLsAreBoundedTogether(t *testing.T) {
	long := "https://h/" + strings.Repeat("d", maxURLBytes-100) + "/v.m3u8"
	for lines, want := range map[string]Reason{
		strings.Repeat("#EXTINF:1,\na.ts\n", 1000):              "",
		strings.Repeat("#EXTINF:1,\na.ts\n", 3000):              "", // the newest are kept
		strings.Repeat("#EXT-X-MAP:URI=\"i\"\n", 3000) + "#EXT": ReasonTooLarge,
	} {
		if _, err := ParseMedia(mediaText(lines), long, Rendition{}); ReasonOf(err) != want {
			t.Errorf("%d bytes: %v, want %q", len(lines), err, want)
		}
	}
}

// TestTimelineDoesNotRunOver follows a playlist that jumps ahead by years each time.
func TestTimelineDoesNotRunOver(t *testing.T) {
	var last *Playlist
	restarts := 0
	for i := range 100 {
		p := &Playlist{TargetDuration: 24 * time.Hour, MediaSequence: int64(i) * maxEntries}
		p.Segments = []Segment{{Sequence: p.MediaSequence, Duration: 24 * time.Hour}}
		if last != nil {
			p.shift(last)
		}
		if p.Segments[0].Start < 0 || p.Segments[0].Start > maxTimeline {
			t.Fatalf("segment %d starts at %v", p.MediaSequence, p.Segments[0].Start)
		}
		if p.Restarted {
			restarts++
		}
		last = p
	}
	if restarts == 0 {
		t.Error("the timeline never began anew")
	}
}

func manyAttributes() string {
	var b strings.Builder
	for i := range 600 {
		_, _ = fmt.Fprintf(&b, "A%d=1,", i)
	}
	return b.String()
}

func variableBomb() string {
	lines := []string{`#EXT-X-DEFINE:NAME="v0",VALUE="` + strings.Repeat("x", 1000) + `"`}
	for i := 1; i < 30; i++ {
		lines = append(lines, fmt.Sprintf(`#EXT-X-DEFINE:NAME="v%d",VALUE="{$v%d}{$v%d}"`, i, i-1, i-1))
	}
	return strings.Join(lines, "\n")
}

func TestHostileMultivariantPlaylists(t *testing.T) {
	cases := []struct {
		name, body string
		want       Reason
	}{
		{"empty", "", ReasonNotPlaylist},
		{"nothing in it", "#EXTM3U\n", ReasonInvalid},
		{"too many variants", "#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n", maxVariants+1), ReasonTooLarge},
		{"too many tracks", "#EXTM3U\n" + strings.Repeat("#EXT-X-MEDIA:TYPE=AUDIO\n", maxTracks+1), ReasonTooLarge},
		{"variable bomb", "#EXTM3U\n" + variableBomb(), ReasonTooLarge},
		{"variable in attributes", "#EXTM3U\n" + longVariable + strings.Repeat("#EXT-X-STREAM-INF:A=\"{$v}\",B=\"{$v}\"\nv\n", 900), ReasonTooLarge},
		{"only tracks without URI", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\"\n", ReasonInvalid},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, err := ParseMultivariant([]byte(c.body), base)
			if ReasonOf(err) != c.want {
				t.Errorf("got %v, %v; want %s", p, err, c.want)
			}
		})
	}
}

func TestErrorTextHidesSecrets(t *testing.T) {
	_, err := ParseMedia(nil, "https://user:pass@h/p?token=secret#f", Rendition{})
	text := err.Error()
	if strings.Contains(text, "secret") || strings.Contains(text, "pass") || !strings.Contains(text, "https://h/p") {
		t.Error(text)
	}
	var e *Error
	if !errors.As(err, &e) || e.Unwrap() == nil {
		t.Errorf("%T", err)
	}
}

func TestRenditionNames(t *testing.T) {
	body := `#EXTM3U
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en-US",URI="en"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="English",LANGUAGE="en-US",URI="en2"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="Ton / 1",URI="x"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="日本語",URI="y"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="inside"
#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,AUDIO="a"
https://one/v
#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,AUDIO="a"
https://two/v
#EXT-X-STREAM-INF:BANDWIDTH=6000000,RESOLUTION=1280x720,FRAME-RATE=59.940
c
#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=128000
d
#EXT-X-STREAM-INF:RESOLUTION=axb
e
`
	p, err := ParseMultivariant([]byte(body), "https://h/master.m3u8?token=1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Renditions {
		name := r.Name
		if r.Backup {
			name += " backup"
		}
		got = append(got, name)
	}
	want := "720p, 720p-2 backup, 720p60, 128k, main, audio-en-us, audio-en-us-2 backup, audio-ton-1, audio-b"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if p.DefaultSwarmID != "https://h/master.m3u8" || p.Format != FormatHLS {
		t.Errorf("%+v", p)
	}
	direct, err := ParseMultivariant(mediaText("#EXTINF:4,", "a.ts"), "https://h/v.m3u8?token=1")
	if err != nil || len(direct.Renditions) != 1 || direct.Renditions[0].Name != "main" || direct.Renditions[0].URI != "https://h/v.m3u8?token=1" {
		t.Errorf("got %+v, %v", direct, err)
	}
}

func TestMediaPlaylistDetails(t *testing.T) {
	p, err := ParseMedia(mediaText(
		"#EXT-X-MEDIA-SEQUENCE:20", `#EXT-X-MAP:URI="i.mp4",BYTERANGE="700@0"`, "#EXT-X-GAP", "#EXTINF:4.2,", "a.mp4",
		"#EXT-X-DISCONTINUITY", `#EXT-X-KEY:METHOD=AES-128,URI="k"`, "", `#EXT-X-MAP:URI="j.mp4"`, "#EXTINF:3.8,", "#EXT-X-BYTERANGE:10@5", "b.mp4",
		"#EXT-X-KEY:METHOD=NONE", "#EXTINF:4,", "c.mp4", "#EXTINF:4,", "c.mp4"), base, Rendition{})
	if err != nil {
		t.Fatal(err)
	}
	a, b, c := p.Segments[0], p.Segments[1], p.Segments[2]
	if !a.Gap || a.Encrypted || a.Init.Key() != "https://cdn.example.com/live/i.mp4|0-699" || a.Duration != 4200*time.Millisecond {
		t.Errorf("%+v", a)
	}
	if b.Gap || !b.Encrypted || !b.Discontinuity || b.Init.Key() != "https://cdn.example.com/live/j.mp4" || b.Key() != "https://cdn.example.com/live/b.mp4|5-14" {
		t.Errorf("%+v", b)
	}
	if c.Encrypted || c.Start != 8*time.Second || c.Sequence != 22 || len(p.Segments) != 3 || p.Entries != 4 || p.LastSequence() != 22 {
		t.Errorf("%+v", p)
	}
	if p.Room() != 12*time.Second || p.LiveSyncSegments() != 3 || p.Window != 16*time.Second || !p.Live || p.Ended {
		t.Errorf("%+v", p)
	}
}

func TestImportedVariables(t *testing.T) {
	p, err := ParseMultivariant([]byte("#EXTM3U\n#EXT-X-DEFINE:NAME=\"t\",VALUE=\"tok\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n"), base)
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseMedia(mediaText(`#EXT-X-DEFINE:IMPORT="t"`, "#EXTINF:1,", "a{$t}.ts"), base, p.Renditions[0])
	if err != nil || list.Segments[0].URL != "https://cdn.example.com/live/atok.ts" {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestDecodeText(t *testing.T) {
	for in, want := range map[string]string{
		"\ufeff#EXTM3U": "#EXTM3U", "a\xffb": "a\ufffdb", "\xe2\x82": "\ufffd", "\xe2\x82a": "\ufffda", "\xe0\x80a": "\ufffd\ufffda",
		"\xf0\x9f\x98": "\ufffd", "\xed\xa0\x80": "\ufffd\ufffd\ufffd", "\xc0\x80": "\ufffd\ufffd", "é": "é",
	} {
		if got := decodeText([]byte(in)); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
	}
}

func TestPeerability(t *testing.T) {
	rendition := Rendition{Name: "720p"}
	list := func(change func(*Playlist)) *Playlist {
		p := &Playlist{Live: true, TargetDuration: 4 * time.Second, Entries: 10}
		change(p)
		return p
	}
	cases := []struct {
		p    *Presentation
		list *Playlist
		want string
	}{
		{nil, nil, NoRenditions},
		{&Presentation{}, nil, NoRenditions},
		{&Presentation{Renditions: []Rendition{rendition}, UnknownCodecs: true}, nil, UnknownCodecs},
		{&Presentation{Renditions: []Rendition{rendition}}, nil, Peerable},
		{&Presentation{Renditions: []Rendition{rendition}}, list(func(*Playlist) {}), Peerable},
		{&Presentation{Renditions: []Rendition{rendition}}, list(func(p *Playlist) { p.LowLatencyParts = true }), LowLatencyPartsOnly},
		{&Presentation{Renditions: []Rendition{rendition}}, list(func(p *Playlist) { p.Redirected = true }), MediaPlaylistRedirected},
		{&Presentation{Renditions: []Rendition{rendition}}, list(func(p *Playlist) { p.Entries, p.MediaSequence = 2, 7 }), LiveWindowTooShort},
		{&Presentation{Renditions: []Rendition{rendition}}, list(func(p *Playlist) { p.Entries, p.Live = 2, true }), Peerable}, // an event that has just begun
		{&Presentation{Renditions: []Rendition{rendition}}, list(func(p *Playlist) { p.Entries, p.Ended = 2, true }), Peerable},
	}
	for _, c := range cases {
		ok, reason, message := Peerability(c.p, map[string]*Playlist{"720p": c.list})
		if reason != c.want || ok != (c.want == Peerable) || (message == "") != ok {
			t.Errorf("got %v %q %q, want %q", ok, reason, message, c.want)
		}
	}
}
