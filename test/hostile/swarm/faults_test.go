package swarm

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// zipped is 100 MB of a playlist in 100 kB.
func zipped() []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, "#EXTM3U\n") // a buffer takes everything
	line := bytes.Repeat([]byte("#\n"), 50_000)
	for range 1000 {
		_, _ = z.Write(line)
	}
	_ = z.Close()
	return b.Bytes()
}

// segmentFaults are wrong ways to answer requests for segments.
func segmentFaults() []fault {
	f := []fault{
		{name: "a length too long", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, header("Content-Length", "1000000")+"\r\n", strings.NewReader("short"))
		}},
		{name: "a length of nothing", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, header("Content-Length", "0")+"\r\n", io.LimitReader(endless('x'), 100_000))
		}},
		{name: "a length of a petabyte", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, header("Content-Length", "1125899906842624")+"\r\n", endless('x'))
		}},
		{name: "a length below zero", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, header("Content-Length", "-1")+"\r\n", endless('x'))
		}},
		{name: "two lengths", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, header("Content-Length", "10")+"Content-Length: 20\r\n\r\n", endless('x'))
		}},
		{name: "no length", answer: func(w http.ResponseWriter, _ *http.Request) {
			// It is cut off. One that ends in order does not differ from a segment that is sent in this way.
			reset(w, "HTTP/1.0 200 OK\r\n\r\n", io.LimitReader(endless('x'), 100_000))
		}},
		{name: "another range", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/9007199254740991\r\nContent-Length: 5\r\n\r\n", endless('x'))
		}},
		{name: "gzip", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped())
		}},
		{name: "headers without end", answer: func(w http.ResponseWriter, _ *http.Request) {
			raw(w, "HTTP/1.1 200 OK\r\nX: ", endless('x'))
		}},
		{name: "no HTTP", answer: func(w http.ResponseWriter, _ *http.Request) { raw(w, "\x00\x01\x02\r\n\r\n", endless(0)) }},
		{name: "refusals", answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }},
		{name: "a pause of a second", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
		}},
		{name: "redirects in a circle", answer: func(w http.ResponseWriter, r *http.Request) { redirect(r.URL.Path)(w, r) }},
	}
	for _, to := range []string{"file:///etc/passwd", "gopher://127.0.0.1/", "javascript:alert(1)", "//", "http://[::1", "http://\x00/",
		"http://" + strings.Repeat("h", 70_000), "/" + strings.Repeat("../", 5000), "data:text/plain,x"} {
		f = append(f, fault{name: "a redirect to " + to[:min(len(to), 12)], answer: redirect(to)})
	}
	// These take a while: a program that is busy with one sees nothing of the next ones.
	f = append(f, []fault{
		{name: "a body without end", memory: 512, answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, endless('x')) // until the client has gone
		}},
		{name: "64 MiB that do not come", memory: 512, answer: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "67108864")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush() // the client may have gone
			select {
			case <-r.Context().Done():
			case <-time.After(3 * time.Second):
			}
		}},
	}...)
	f = append(f, fault{name: "a byte a second", slow: time.Second, memory: 512},
		fault{name: "nothing at all", memory: 512, answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }})
	for i := range f {
		f[i].segment = true
	}
	return f
}

// media is a playlist that differs from a usual one by some lines.
func media(lines ...string) string {
	return "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:1\n" + strings.Join(lines, "\n") + "\n"
}

// playlistFaults are wrong ways to answer requests for media playlists.
func playlistFaults() []fault {
	long := strings.Repeat("x", 60_000)
	bomb := fmt.Sprintf("#EXT-X-DEFINE:NAME=\"v\",VALUE=\"%s\"\n", long)
	var f []fault
	for _, p := range []struct{ name, body string }{
		{"nothing", ""},
		{"a web page", "<!doctype html>"},
		{"a million segments", media(strings.Repeat("#EXTINF:1,\na\n", 1_000_000))},
		{"itself", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n\n#EXT-X-STREAM-INF:BANDWIDTH=2\nmaster.m3u8\n"},
		{"no target duration", "#EXTM3U\n#EXTINF:1,\na.ts\n"},
		{"a target duration below zero", "#EXTM3U\n#EXT-X-TARGETDURATION:-1\n#EXTINF:1,\na.ts\n"},
		{"a target duration of ages", "#EXTM3U\n#EXT-X-TARGETDURATION:999999999999999999\n#EXTINF:1,\na.ts\n"},
		{"a duration that is no number", media("#EXTINF:NaN,", "a.ts")},
		{"a duration beyond numbers", media("#EXTINF:1e999,", "a.ts")},
		{"a duration below zero", media("#EXTINF:-5,", "a.ts")},
		{"a sequence beyond numbers", media("#EXT-X-MEDIA-SEQUENCE:99999999999999999999", "#EXTINF:1,", "a.ts")},
		{"a range beyond numbers", media("#EXTINF:1,", "#EXT-X-BYTERANGE:9007199254740991@9007199254740991", "a.ts")},
		{"URLs that are long together", media(bomb, strings.Repeat("#EXTINF:1,\n{$v}\n", 10_000))},
		{"attributes that are long together", media(bomb, strings.Repeat("#EXT-X-KEY:METHOD=NONE,A=\"{$v}\"\n", 50_000))},
		{"keys before nothing", media(strings.Repeat("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n\n", 50_000))},
		{"zero bytes", "#EXTM3U\n" + strings.Repeat("\x00", 1<<20)},
	} {
		f = append(f, fault{name: p.name, answer: text(p.body), memory: 128})
	}
	return append(f,
		fault{name: "100 MB", answer: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "#EXTM3U\n")
			_, _ = io.Copy(w, io.LimitReader(endless('#'), 100<<20)) // until the client has gone
		}},
		fault{name: "a playlist in gzip of 100 MB", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped())
		}},
		fault{name: "a playlist in brotli", answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			_, _ = w.Write(zipped())
		}},
		fault{name: "a playlist in a circle", answer: func(w http.ResponseWriter, r *http.Request) { redirect(r.URL.Path)(w, r) }},
		fault{name: "a playlist in a file", answer: redirect("file:///etc/passwd")},
		fault{name: "a playlist a byte at a time", slow: 50 * time.Millisecond},
	)
}

// lastSegmentFaults keep programs away for a minute.
func lastSegmentFaults() []fault {
	return []fault{{name: "a pause of years", segment: true, seen: 2, answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1000000000")
		w.WriteHeader(http.StatusServiceUnavailable)
	}}}
}

// lastPlaylistFaults change what the stream is: sequence numbers do not go back.
func lastPlaylistFaults() []fault {
	var loads atomic.Int64
	return []fault{
		{name: "odd URIs", answer: text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:3000000000\n" + strings.Repeat(
			"#EXTINF:1,\nfile:///etc/passwd\n#EXTINF:1,\njavascript:1\n#EXTINF:1,\ndata:,x\n#EXTINF:1,\n//\n#EXTINF:1,\nhttp://[::1\n#EXTINF:1,\n"+
				"../../../../x\n#EXTINF:0,\n%00%ff\n#EXTINF:1,\n?\n#EXTINF:1,\nhttp://127.0.0.1:1/\n", 10))},
		{name: "ever others by the thousand", memory: 192, answer: func(w http.ResponseWriter, r *http.Request) {
			from := 4_000_000_000 + 1_000_000*loads.Add(1)
			var b strings.Builder
			_, _ = fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:86400\n#EXT-X-MEDIA-SEQUENCE:%d\n", from)
			for i := range 20_000 {
				_, _ = fmt.Fprintf(&b, "#EXTINF:0.1,\n%d.none\n", from+int64(i))
			}
			text(b.String())(w, r)
		}},
	}
}
