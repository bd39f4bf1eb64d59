package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHosts(t *testing.T) {
	local := func(ip string) context.Context {
		return context.WithValue(context.Background(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.ParseIP(ip), Port: 8080})
	}
	for _, tt := range []struct {
		listen, host string
		local        string
		protocol     int // minor version of HTTP/1
		want         bool
	}{
		{host: "127.0.0.1:8080", want: true},
		{host: "127.0.0.1", want: true},
		{host: "127.8.9.10:1", want: true},
		{host: "localhost:8080", want: true},
		{host: "LocalHost.", want: true},
		{host: "player.localhost:8080", want: true},
		{host: "[::1]:8080", want: true},
		{host: "[::1]", want: true},
		{host: "::1", want: true},
		{host: "tv.example.com:9999", want: true}, // allowed
		{host: "TV.Example.COM.", want: true},
		{host: "[2001:db8::7]:8080", want: true}, // allowed
		{listen: "media-pc:8080", host: "media-pc:8080", want: true},
		{listen: "192.0.2.5:8080", host: "192.0.2.5:8080", want: true},
		{listen: "0.0.0.0:8080", host: "192.0.2.5:8080", local: "192.0.2.5", want: true},
		{listen: "[::]:8080", host: "192.0.2.5", local: "::ffff:192.0.2.5", want: true},
		{host: "", protocol: 0, want: true},
		{host: "", protocol: 1},
		{host: "evil.example.com"},
		{host: "evil.example.com:8080"},
		{host: "localhost.evil.example.com"},
		{host: "127.0.0.1.evil.example.com"},
		{host: "notlocalhost"},
		{host: "192.0.2.6:8080", local: "192.0.2.5"},
		{listen: "0.0.0.0:8080", host: "192.0.2.6:8080", local: "192.0.2.5"},
		{listen: ":8080", host: ":8080"},
		{host: "a b"},
		{host: "[::1"},
	} {
		if tt.listen == "" {
			tt.listen = "127.0.0.1:8080"
		}
		if tt.local == "" {
			tt.local = "127.0.0.1"
		}
		if tt.host != "" {
			tt.protocol = 1
		}
		r := httptest.NewRequest(http.MethodGet, "/master.m3u8", nil).WithContext(local(tt.local))
		r.Host, r.ProtoMajor, r.ProtoMinor = tt.host, 1, tt.protocol
		h := newHosts(tt.listen, []string{"tv.example.com", "[2001:db8::7]"})
		if got := h.allowed(r); got != tt.want {
			t.Errorf("host %q at %s: %v, want %v", tt.host, tt.listen, got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	for url, want := range map[string]string{
		"http://h/a/b.TS?x=.exe": ".ts", "http://h/a.b/c": "", "http://h/a.m4s#f.html": ".m4s", "http://h/a.toolong": "", "http://h/a.": "",
		"http://h/a.t%s": "", "http://h/": "", "seg.mp4": ".mp4",
	} {
		if got := extension(url); got != want {
			t.Errorf("extension of %q: %q, want %q", url, got, want)
		}
	}
	r := manifest.Reference{Kind: manifest.RefSegment, Sequence: 17, Resource: manifest.Resource{URL: "http://h/17.ts?token=secret"}}
	name := fileName(r)
	if n, ok := sequenceOf(name); !ok || n != 17 || !strings.HasSuffix(name, ".ts") || strings.Contains(name, "secret") {
		t.Errorf("name %q", name)
	}
	other := r
	other.Resource.Range = &manifest.ByteRange{Offset: 1, Length: 2}
	if fileName(other) == name {
		t.Error("a range has the name of the whole")
	}
	for name, want := range map[string]string{
		name: "segment 17", "init-abc.mp4": "an initialization section", "key-abc": "a key", "file-abc.json": "a file", "nonsense": "a file", "-5-x.ts": "a file",
	} {
		if got := describe(name); got != want {
			t.Errorf("%q is described as %q, want %q", name, got, want)
		}
	}
	for text, want := range map[string]bool{newPlayerName(): true, "abc": false, strings.Repeat("a", 33): false, "../../x": false, "ABCDEF": false, "ok12": true} {
		if got := isPlayer(text); got != want {
			t.Errorf("player %q: %v, want %v", text, got, want)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	ts := []byte("G" + strings.Repeat("x", packet-1) + "G")
	for _, tt := range []struct {
		name  string
		audio bool
		body  string
		want  string
	}{
		{"a.ts", false, "", "video/mp2t"},
		{"a.ts", true, "", "video/mp2t"},
		{"a.m4s", false, "", "video/mp4"},
		{"a.m4s", true, "", "audio/mp4"},
		{"a.vtt", false, "", "text/vtt"},
		{"a.html", false, "<script>", unknownType},
		{"a", false, string(ts), "video/mp2t"},
		{"a", false, "\x00\x00\x00\x18styp", "video/mp4"},
		{"a", true, "\x00\x00\x00\x18ftyp", "audio/mp4"},
		{"a", false, "\xff\xf1abc", "audio/aac"},
		{"a", false, "ID3abc", "audio/aac"},
		{"a", false, "\ufeffWEBVTT\n", "text/vtt"},
		{"a", false, "<html>", unknownType},
		{"a", false, "", unknownType},
	} {
		if got := mediaType(tt.name, tt.audio, []byte(tt.body)); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.name, tt.body, got, tt.want)
		}
	}
}

func TestClosedRange(t *testing.T) {
	for header, want := range map[string]string{
		"bytes=0-0": "0 0 true", "bytes=5-10": "5 10 true", "bytes=10-5": "10 5 false", "bytes=5-": "5 0 false", "bytes=-5": "0 5 false",
		"bytes=0-1,3-4": "0 0 false", "": "0 0 false", "lines=1-2": "0 0 false",
	} {
		from, to, ok := closedRange(header)
		if got := fmt.Sprint(from, " ", to, " ", ok); got != want && (ok || strings.HasSuffix(want, "true")) {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	origin := func(reason manifest.Reason, status int) error {
		return fmt.Errorf("wrapped: %w", &manifest.Error{Reason: reason, Status: status, URL: "http://o/x"})
	}
	for _, tt := range []struct {
		err  error
		want int
	}{
		{origin(manifest.ReasonStatus, 404), 404},
		{origin(manifest.ReasonStatus, 410), 410},
		{origin(manifest.ReasonStatus, 403), 502},
		{origin(manifest.ReasonStatus, 500), 502},
		{origin(manifest.ReasonUnreachable, 0), 502},
		{origin(manifest.ReasonTruncated, 0), 502},
		{origin(manifest.ReasonTimeout, 0), 504},
		{origin(manifest.ReasonStalled, 0), 504},
		{ondemand.ErrTooSlow, 504},
		{context.DeadlineExceeded, 504},
		{ondemand.ErrGap, 404},
		{ondemand.ErrUnknownSegment, 404},
		{loader.ErrUnknownRendition, 404},
		{ondemand.ErrGone, 410},
		{ondemand.ErrStopped, 503},
		{errTooManyPlayers, 503},
		{errTooManyRequests, 503},
		{ondemand.ErrChanged, 502},
		{errors.New("other"), 502},
		{notFound("no %s", "such"), 404},
	} {
		p := explain("segment 17 of 720p", tt.err)
		if p.status != tt.want {
			t.Errorf("%v: %d, want %d", tt.err, p.status, tt.want)
		}
		if _, own := tt.err.(*problem); !own && !strings.Contains(p.text, "segment 17 of 720p") { //nolint:errorlint // it is not wrapped here
			t.Errorf("%v: %q does not say what is missing", tt.err, p.text)
		}
	}
}

func TestPlayersAreBounded(t *testing.T) {
	now := time.Now()
	after := func(d time.Duration) time.Time { return now.Add(d) }
	p := newPlayers(2, 40*time.Second)
	first, err := p.enter("first", now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.enter("second", after(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.enter("third", after(5*time.Second)); !errors.Is(err, errTooManyPlayers) {
		t.Errorf("a third player while both have requests: %v", err)
	}
	first.leave(after(6 * time.Second))
	if _, err := p.enter("third", after(10*time.Second)); !errors.Is(err, errTooManyPlayers) {
		t.Errorf("a third player while the first has been silent for 4 s: %v", err)
	}
	if _, err := p.enter("third", after(20*time.Second)); err != nil {
		t.Errorf("a third player when the first has been silent for 14 s: %v", err)
	}
	if first.begin(now) {
		t.Error("the first player continues although its place is taken")
	}
	second.leave(after(20 * time.Second))
	p.sweep(after(50 * time.Second))
	if n, _ := p.count(); n != 2 {
		t.Errorf("%d players, want 2: one has a request and one was silent for 30 s", n)
	}
	p.sweep(after(61 * time.Second))
	if n, _ := p.count(); n != 1 {
		t.Errorf("%d players, want 1", n)
	}
	if _, err := p.enter("second", after(61*time.Second)); err != nil {
		t.Errorf("the second again: %v", err)
	}
	for range maxPlayerRequests - 1 {
		if _, err := p.enter("second", after(62*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := p.enter("second", after(62*time.Second)); !errors.Is(err, errTooManyRequests) {
		t.Errorf("one request too many: %v", err)
	}
	p.end()
	if n, _ := p.count(); n != 0 {
		t.Errorf("%d players after the end", n)
	}
}

func TestPlaylistsAreBounded(t *testing.T) {
	p := newPlaylists()
	now := time.Now()
	state := &manifest.Playlist{Text: []byte("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n"), ResponseURL: "http://o/v.m3u8", TargetDuration: 4 * time.Second}
	for i := range 5 {
		l := newPlaylist(fmt.Sprintf("http://o/%d.m3u8", i), manifest.Rendition{}, false)
		p.byName[l.name] = l
		if _, _, err := l.update(state, now, now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	p.bound(3)
	for i := range 5 {
		l := p.get(playlistName(fmt.Sprintf("http://o/%d.m3u8", i)))
		if _, loaded := l.lastUse(); loaded != (i >= 2) {
			t.Errorf("playlist %d: loaded %v", i, loaded)
		}
	}
}

// TestFilesAreRememberedForAWhile slides a window and asks for what has left it.
func TestFilesAreRememberedForAWhile(t *testing.T) {
	l := newPlaylist("http://o/v.m3u8", manifest.Rendition{}, true)
	slide := func(first int, now time.Time) {
		text := fmt.Sprintf("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
		for i := range 3 {
			text += fmt.Sprintf("#EXTINF:4,\n%d.ts\n", first+i)
		}
		p, err := manifest.ParseMedia([]byte(text), "http://o/v.m3u8", manifest.Rendition{})
		if err != nil {
			t.Fatal(err)
		}
		p.Text = []byte(text)
		if _, _, err := l.update(p, now, now); err != nil {
			t.Fatal(err)
		}
	}
	knows := func(n int) bool {
		_, ok := l.file(fileName(manifest.Reference{Kind: manifest.RefSegment, Sequence: int64(n), Resource: manifest.Resource{URL: fmt.Sprintf("http://o/%d.ts", n)}}))
		return ok
	}
	now := time.Now()
	slide(10, now)
	slide(11, now.Add(4*time.Second))
	if !knows(10) || !knows(13) || knows(14) {
		t.Error("segment 10 has just left, 13 is the last")
	}
	slide(14, now.Add(16*time.Second))
	slide(15, now.Add(20*time.Second))
	if knows(10) || !knows(11) || !knows(14) {
		t.Error("segment 10 left 16 s ago, longer than the playlist is; 11 left 4 s ago")
	}
}
