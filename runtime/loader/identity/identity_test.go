package identity

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func TestGenerations(t *testing.T) {
	if got := fmt.Sprint(Generations()); got != "[v2.2 v2.3 v3]" {
		t.Errorf("generations %s", got)
	}
	if got := fmt.Sprint(DefaultGenerations()); got != "[v2.2 v2.3]" {
		t.Errorf("generations %s are joined without being asked for", got)
	}
	if got, err := ParseGenerations([]string{"v3", "v2.2", "v3"}); err != nil || fmt.Sprint(got) != "[v2.2 v3]" {
		t.Errorf("generations %v, error %v", got, err)
	}
	if _, err := ParseGenerations([]string{"v2.2", "v4"}); err == nil {
		t.Error("v4 is taken for a generation")
	}
	if got := InfoHashOf("v9", "x"); got != "" {
		t.Errorf("unknown generation has info hash %q", got)
	}
	if got := (Stream{Type: Main}).InfoHash("v9", "x"); got != "" {
		t.Errorf("unknown generation has info hash %q", got)
	}
	if got := (Stream{Type: Main, ShortID: "x"}).InfoHash(V3, "x"); got != "" {
		t.Errorf("a rendition that is not shared has info hash %q", got)
	}
	for _, g := range Generations() {
		if got := InfoHashOf(g, "v2-a-main-0"); len(got) != 20 {
			t.Errorf("%s: info hash %q is not 20 characters", g, got)
		}
	}
}

func TestNewPeerID(t *testing.T) {
	for _, prefix := range []string{SeederPrefix, ViewerPrefix, "", strings.Repeat("x", 20)} {
		id, err := NewPeerID(prefix, rand.Reader)
		if err != nil || len(id) != 20 || !strings.HasPrefix(string(id), prefix) {
			t.Errorf("prefix %q gives %q, %v", prefix, id, err)
		}
	}
	// 248 is the first byte that would favour a letter, so it is not used.
	id, err := NewPeerID("-PS0001-", bytes.NewReader([]byte{248, 0, 255, 25, 26, 51, 52, 61, 62, 123, 124, 185, 186, 247}))
	if err != nil || id != "-PS0001-AZaz09A9A9A9" {
		t.Errorf("got %q, %v", id, err)
	}
	for _, prefix := range []string{strings.Repeat("x", 21), "a b", "é", "a\n"} {
		if id, err := NewPeerID(prefix, rand.Reader); err == nil {
			t.Errorf("prefix %q gives %q without error", prefix, id)
		}
	}
	broken := errors.New("no entropy")
	if _, err := NewPeerID("-PS0001-", iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestAbsentIsNotZero(t *testing.T) {
	cases := []struct {
		name string
		p    Properties
		want string
	}{
		{"nothing", Properties{}, "0--------"},
		{"zero width", Properties{Width: Number(0)}, "0--0------"},
		{"not a number", Properties{Bitrate: Number(math.NaN())}, "NaN--------"},
		{"empty channels", Properties{Channels: Text("")}, "0--------"},
		{"language cut inside a pair", Properties{Language: "a😀"}, "0----a\uFFFD----"},
		{"upper case grows", Properties{VideoRange: "straße"}, "0--------STRASSE"},
		{"rate infinite", Properties{FrameRate: Text("-1e999")}, "0-------" + "-Infinity-"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.p.HashedString(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func variant(uri, bandwidth, codecs string) Variant {
	return Variant{URI: uri, Attributes: Attributes{"BANDWIDTH": bandwidth, "CODECS": codecs}}
}

func iframes(uri, codecs string) Variant {
	v := variant(uri, "1", codecs)
	v.IFrames = true
	return v
}

func TestHLSStreamsLists(t *testing.T) {
	const known, unknown = "avc1.4d401f", "zzzz.1"
	cases := []struct {
		name string
		m    Multivariant
		want string
	}{
		{"none", Multivariant{Audio: []MediaTrack{{URI: "a"}}}, ""},
		{"repeated URI still takes a place", Multivariant{Variants: []Variant{variant("a", "1", ""), variant("a", "2", ""), variant("b", "3", "")}}, "main a 0, main b 2"},
		{"unknown codec goes", Multivariant{Variants: []Variant{variant("a", "1", unknown), variant("b", "2", known)}}, "main b 0"},
		{"all unknown stay", Multivariant{Variants: []Variant{variant("a", "1", unknown), variant("b", "2", unknown)}}, "main a 0, main b 1"},
		{"I-frames are no level", Multivariant{Variants: []Variant{variant("a", "1", known), iframes("i", known)}}, "main a 0"},
		{
			"hls.js 1.7 counts I-frames among the known, older ones do not",
			Multivariant{Variants: []Variant{variant("a", "1", unknown), variant("b", "2", known), iframes("i", known)}},
			"main a 3, main b 0",
		},
		{
			"hls.js 1.7 returns I-frames with the known",
			Multivariant{Variants: []Variant{variant("a", "1", unknown), variant("b", "2", unknown), variant("c", "2", known), iframes("i", "mjpg")}},
			"main c 0, main i 4",
		},
		{"an invented track", Multivariant{Variants: []Variant{variant("a", "1", "mp4a.40.2")}, Audio: []MediaTrack{{URI: "x"}}}, "main a 0, secondary  0, secondary x 1"},
		{"no invented track beside an embedded one", Multivariant{Variants: []Variant{variant("a", "1", "mp4a.40.2")}, Audio: []MediaTrack{{URI: "x"}, {}}}, "main a 0, secondary x 0, secondary  1"},
		{"a track with a variant's URI", Multivariant{Variants: []Variant{variant("a", "1", "")}, Audio: []MediaTrack{{URI: "a"}}}, "main a 0"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, s := range HLSStreams(c.m) {
				got = append(got, fmt.Sprintf("%s %s %d", s.Type, s.URI, s.Position))
			}
			if text := strings.Join(got, ", "); text != c.want {
				t.Errorf("got  %s\nwant %s", text, c.want)
			}
		})
	}
	if !HasUnknownCodecs(cases[3].m) || HasUnknownCodecs(cases[2].m) {
		t.Error("unknown codecs not told apart")
	}
}

func FuzzProperties(f *testing.F) {
	f.Add(1280000.0, "avc1.66.30, mp4a.40.2", "en-US", "16/JOC", " İΣ ", "30000/1001", "pq", 1280.0)
	f.Add(math.NaN(), "avc1..,", "😀", "0", "\xff", "0x1e", "ß", math.Copysign(0, -1))
	f.Add(1e300, "avc1.9007199254740993.1", "und", "", "\u00a0", " ", "", math.Inf(-1))
	f.Fuzz(func(t *testing.T, bitrate float64, codecs, language, channels, name, rate, videoRange string, width float64) {
		p := Properties{
			Bitrate: Number(bitrate), Codecs: codecs, Language: language, Channels: Text(channels), Name: name,
			FrameRate: Text(rate), VideoRange: videoRange, Width: Number(width), Height: Number(-width),
		}
		if id := p.ShortID(); len(id) != 28 || id[27] != '=' {
			t.Errorf("short id %q", id)
		}
		if once := normalizeCodecs(codecs); normalizeCodecs(once) != once {
			t.Errorf("codecs %q change when normalised twice", codecs)
		}
		base := "https://h/a/b?q"
		if once := ResolveURL(base, name); ResolveURL(base, once) != once {
			t.Errorf("URL %q changes when resolved twice: %q", name, once)
		}
	})
}

func BenchmarkIdentity(b *testing.B) {
	m := Multivariant{URL: "https://cdn.example.com/live/ev1/master.m3u8"}
	for i := range 8 {
		m.Variants = append(m.Variants, Variant{URI: fmt.Sprint("https://cdn.example.com/live/ev1/v", i, ".m3u8"), Attributes: Attributes{
			"BANDWIDTH": fmt.Sprint(1000000 * (i + 1)), "CODECS": "avc1.4d401f,mp4a.40.2", "RESOLUTION": "1280x720",
			"FRAME-RATE": "29.970", "AUDIO": "a",
		}})
	}
	m.Audio = []MediaTrack{{URI: "https://cdn.example.com/live/ev1/en.m3u8", Attributes: Attributes{"GROUP-ID": "a", "NAME": "English", "LANGUAGE": "en"}}}
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range HLSStreams(m) {
			for _, g := range Generations() {
				if s.InfoHash(g, "event-42") == "" {
					b.Fatal("no info hash")
				}
			}
		}
	}
}
