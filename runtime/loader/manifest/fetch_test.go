package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func newSource(t *testing.T, cfg SourceConfig) *Source {
	t.Helper()
	s, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

var tenBytes = []byte("0123456789")

// raw writes an answer byte by byte, past net/http's own checks.
func raw(w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

func TestFetchSegment(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(tenBytes))
	})
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(tenBytes[:5])
		w.(http.Flusher).Flush()
		_, _ = w.Write(tenBytes[5:])
	})
	mux.HandleFunc("/ignores", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tenBytes) })
	mux.HandleFunc("/encoded", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(tenBytes)
	})
	answers := map[string]string{
		"/truncated": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234",
		"/broken":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
		"/nolength":  "HTTP/1.0 200 OK\r\n\r\n0123456789",
		"/empty":     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/huge":      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n0",
		"/endless":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + strings.Repeat("x", 64) + "\r\n40\r\n" + strings.Repeat("x", 64) + "\r\n0\r\n\r\n",
		"/416":       "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n",
		"/206":       "HTTP/1.1 206 Partial\r\nContent-Length: 10\r\n\r\n0123456789",
		"/short":     "HTTP/1.1 206 Partial\r\nContent-Range: bytes 4-7/10\r\nContent-Length: 4\r\n\r\n4567",
		"/other":     "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789",
		"/lies":      "HTTP/1.1 206 Partial\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 3\r\n\r\n456",
		"/star":      "HTTP/1.1 206 Partial\r\nContent-Range: bytes 4-9/*\r\nContent-Length: 6\r\n\r\n456789",
		"/multi":     "HTTP/1.1 206 Partial\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 6\r\n\r\n456789",
		"/norange":   "HTTP/1.1 206 Partial\r\nContent-Length: 6\r\n\r\n456789",
		"/500":       "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
		"/ftp":       "HTTP/1.1 302 Found\r\nLocation: ftp://h/x\r\nContent-Length: 0\r\n\r\n",
		"/file":      "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
		"/loop":      "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
		"/moved":     "HTTP/1.1 307 Moved\r\nLocation: ok?x=1\r\nContent-Length: 0\r\n\r\n",
		"/garbage":   "hello\r\n\r\n",
	}
	for path, answer := range answers {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { raw(w, answer) })
	}
	origin := httptest.NewServer(mux)
	defer origin.Close()
	reg := prometheus.NewRegistry()
	s := newSource(t, SourceConfig{URL: origin.URL + "/m.m3u8", MaxSegmentBytes: 100, Registerer: reg})
	// A second source in the same registry shares the counters.
	newSource(t, SourceConfig{URL: origin.URL + "/m.m3u8", Registerer: reg})

	part := &ByteRange{Offset: 2, Length: 5}
	cases := []struct {
		name  string
		path  string
		rng   *ByteRange
		from  int64
		known int64
		body  string
		total int64
		want  Reason
	}{
		{"whole", "/ok", nil, 0, -1, "0123456789", 10, ""},
		{"whole, as before", "/ok", nil, 0, 10, "0123456789", 10, ""},
		{"whole, not as before", "/ok", nil, 0, 11, "", 0, ReasonSizeChanged},
		{"resumed", "/ok", nil, 4, 10, "456789", 10, ""},
		{"resumed, not as before", "/ok", nil, 4, 12, "", 0, ReasonSizeChanged},
		{"resumed behind the end", "/ok", nil, 20, -1, "", 0, ReasonRangeRefused},
		{"resumed at the known end", "/ok", nil, 10, 10, "", 0, ReasonRangeRefused},
		{"before the start", "/ok", nil, -1, -1, "", 0, ReasonRangeRefused},
		{"a range", "/ok", part, 0, -1, "23456", 5, ""},
		{"a range resumed", "/ok", part, 3, 5, "56", 5, ""},
		{"a range of another length than known", "/ok", part, 3, 6, "", 0, ReasonSizeChanged},
		{"a range beyond the end", "/ok", &ByteRange{Offset: 8, Length: 5}, 0, -1, "", 0, ReasonSizeChanged},
		{"a range too large", "/ok", &ByteRange{Offset: 0, Length: 101}, 0, -1, "", 0, ReasonTooLarge},
		{"redirected", "/moved", nil, 0, -1, "0123456789", 10, ""},
		{"chunked", "/chunked", nil, 0, -1, "0123456789", -1, ""},
		{"range ignored", "/ignores", part, 0, -1, "", 0, ReasonRangeIgnored},
		{"resume ignored", "/ignores", nil, 4, -1, "", 0, ReasonRangeIgnored},
		{"encoded", "/encoded", nil, 0, -1, "", 0, ReasonEncoded},
		{"truncated", "/truncated", nil, 0, -1, "01234", 10, ReasonTruncated},
		{"broken chunks", "/broken", nil, 0, -1, "01234", -1, ReasonTruncated},
		{"no length", "/nolength", nil, 0, -1, "0123456789", -1, ""},
		{"empty", "/empty", nil, 0, -1, "", 0, ReasonTruncated},
		{"too large", "/huge", nil, 0, -1, "", 0, ReasonTooLarge},
		{"endless", "/endless", nil, 0, -1, "", -1, ReasonTooLarge},
		{"416", "/416", nil, 4, -1, "", 0, ReasonRangeRefused},
		{"206 unasked", "/206", nil, 0, -1, "", 0, ReasonStatus},
		{"short of the end", "/short", nil, 4, -1, "", 0, ReasonTruncated},
		{"another range", "/other", nil, 4, -1, "", 0, ReasonRangeRefused},
		{"contradictory length", "/lies", nil, 4, -1, "", 0, ReasonSizeChanged},
		{"total not said", "/star", nil, 4, -1, "456789", -1, ""},
		{"total not said but known", "/star", nil, 4, 10, "456789", 10, ""},
		{"total not said and other than known", "/star", nil, 4, 12, "", 0, ReasonSizeChanged},
		{"multipart", "/multi", nil, 4, -1, "", 0, ReasonRangeRefused},
		{"no Content-Range", "/norange", nil, 4, -1, "", 0, ReasonRangeRefused},
		{"status", "/500", nil, 0, -1, "", 0, ReasonStatus},
		{"not found", "/nothing", nil, 0, -1, "", 0, ReasonStatus},
		{"redirect to ftp", "/ftp", nil, 0, -1, "", 0, ReasonScheme},
		{"redirect to a file", "/file", nil, 0, -1, "", 0, ReasonScheme},
		{"redirect loop", "/loop", nil, 0, -1, "", 0, ReasonRedirect},
		{"no HTTP", "/garbage", nil, 0, -1, "", 0, ReasonUnreachable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			body, total, err := s.ResumeSegment(t.Context(), Segment{URL: origin.URL + c.path, Range: c.rng}, c.from, c.known)
			var got []byte
			if err == nil {
				got, err = io.ReadAll(body)
				if c.want == ReasonTooLarge {
					got = nil
				}
				if closeErr := body.Close(); closeErr != nil {
					t.Error(closeErr)
				}
			}
			if ReasonOf(err) != c.want || (err != nil) != (c.want != "") || string(got) != c.body || total != c.total {
				t.Errorf("got %q of %d, %v; want %q of %d, %s", got, total, err, c.body, c.total, c.want)
			}
		})
	}
	for _, u := range []string{"ftp://h/x", "file:///etc/passwd", "data:,x", "//h/x", "", "http://"} {
		if _, _, err := s.FetchSegment(t.Context(), Segment{URL: u}, 0); ReasonOf(err) != ReasonScheme {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, _, err := s.FetchSegment(t.Context(), Segment{URL: origin.URL + "/ok", Gap: true}, 0); ReasonOf(err) != ReasonGap {
		t.Errorf("gap: %v", err)
	}
	if n := counted(t, reg, "p2pstream_manifest_segment_fetches_total", string(ReasonTruncated)); n != 4 {
		t.Errorf("%v truncated fetches counted", n)
	}
	body, total, err := s.FetchResource(t.Context(), Resource{URL: origin.URL + "/ok", Range: part})
	if err != nil || total != 5 {
		t.Fatal(total, err)
	}
	_ = body.Close()
}

func counted(t *testing.T, reg prometheus.Gatherer, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == name && metric.GetLabel()[0].GetValue() == label {
				return metric.GetCounter().GetValue()
			}
		}
	}
	return 0
}

func TestFetchUnreachable(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	_ = listener.Close()
	s := newSource(t, SourceConfig{URL: address + "/m.m3u8?token=secret"})
	_, err = s.Load(t.Context())
	if ReasonOf(err) != ReasonUnreachable || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Load(ctx); ReasonOf(err) != ReasonCanceled {
		t.Error(err)
	}
}

// fake is a transport whose bodies and delays run on the bubble's clock.
type fake func(*http.Request) (*http.Response, error)

func (f fake) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, headers ...string) *http.Response {
	h := make(http.Header)
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, ProtoMajor: 2, Header: h, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// slowBody gives one byte per pause.
type slowBody struct {
	ctx   context.Context
	pause time.Duration
	left  int
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if err := wait(b.ctx, b.pause); err != nil {
		return 0, err
	}
	b.left--
	p[0] = 'x'
	return 1, nil
}

func (b *slowBody) Close() error { return nil }

func TestFetchTimeouts(t *testing.T) {
	cases := []struct {
		name         string
		header, byte time.Duration
		bytes        int
		want         Reason
	}{
		{"steady", time.Second, time.Second, 10, ""},
		{"silent before the header", 6 * time.Second, 0, 10, ReasonStalled},
		{"silent in the body", 0, 6 * time.Second, 10, ReasonStalled},
		{"too slow in all", 0, 4 * time.Second, 100, ReasonTimeout},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t, SourceConfig{URL: base, Transport: fake(func(r *http.Request) (*http.Response, error) {
					if err := wait(r.Context(), c.header); err != nil {
						return nil, err
					}
					a := answer(200, "")
					a.ContentLength, a.Body = int64(c.bytes), &slowBody{ctx: r.Context(), pause: c.byte, left: c.bytes}
					return a, nil
				})})
				body, _, err := s.FetchSegment(t.Context(), Segment{URL: base}, 0)
				if err == nil {
					// A slow consumer is no stall of the origin.
					time.Sleep(30 * time.Second)
					_, err = io.Copy(io.Discard, body)
					_ = body.Close()
				}
				if ReasonOf(err) != c.want {
					t.Errorf("got %v, want %s", err, c.want)
				}
			})
		})
	}
}

func TestHeadersStayWithTheOrigin(t *testing.T) {
	last := "" // token of the last request
	s := newSource(t, SourceConfig{
		URL: "https://origin.example/m.m3u8", Headers: http.Header{"X-Token": {"secret"}},
		Transport: fake(func(r *http.Request) (*http.Response, error) {
			last = r.Header.Get("X-Token")
			if next := r.URL.Query().Get("to"); next != "" {
				return answer(302, "", "Location", next), nil
			}
			return answer(200, "x"), nil
		}),
	})
	for url, want := range map[string]string{
		"https://origin.example/a":      "secret",
		"https://ORIGIN.example:443/b":  "secret",
		"https://origin.example:8443/a": "",
		"http://origin.example/a":       "",
		"https://edge.example/a":        "",
		"https://stranger.example/a":    "",
		"https://stranger.example:81/a": "",
	} {
		for _, start := range []string{url, "https://origin.example/r?to=" + url} {
			last = "none asked"
			body, _, err := s.FetchSegment(t.Context(), Segment{URL: start}, 0)
			if err != nil {
				t.Fatal(err)
			}
			_ = body.Close()
			if last != want {
				t.Errorf("%s reached as %s with token %q, want %q", url, start, last, want)
			}
		}
	}
	// There and back again: what counts is where a request goes.
	body, _, err := s.FetchSegment(t.Context(), Segment{URL: "https://edge.example/r?to=https://origin.example/a"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = body.Close()
	if last != "secret" {
		t.Errorf("redirected to the origin with token %q", last)
	}
}

func TestUnusableFilesCauseNoRequest(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "X-Token"), []byte("two\nlines"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSource(t, SourceConfig{URL: "https://origin.example/m.m3u8", HeadersDir: dir,
		Transport: fake(func(*http.Request) (*http.Response, error) {
			t.Error("a request was sent")
			return answer(200, "x"), nil
		})})
	_, err := s.Load(t.Context())
	if ReasonOf(err) != ReasonFiles || !strings.Contains(err.Error(), "X-Token") || strings.Contains(err.Error(), "lines") {
		t.Errorf("got %v", err)
	}
}

func TestLoadFailures(t *testing.T) {
	cases := []struct {
		name string
		give func(*http.Request) (*http.Response, error)
		want Reason
	}{
		{"status", func(*http.Request) (*http.Response, error) { return answer(503, ""), nil }, ReasonStatus},
		{"304 unasked", func(*http.Request) (*http.Response, error) { return answer(304, ""), nil }, ReasonStatus},
		{"too large", func(*http.Request) (*http.Response, error) {
			return answer(200, "#EXTM3U\n"+strings.Repeat("x", 2000)), nil
		}, ReasonTooLarge},
		{"encoded", func(*http.Request) (*http.Response, error) { return answer(200, "x", "Content-Encoding", "br"), nil }, ReasonEncoded},
		{"not a playlist", func(*http.Request) (*http.Response, error) { return answer(200, "hello"), nil }, ReasonNotPlaylist},
		{"lost", func(*http.Request) (*http.Response, error) { return nil, errors.New("connection reset") }, ReasonUnreachable},
		{"cut", func(*http.Request) (*http.Response, error) {
			a := answer(200, "")
			a.Body = io.NopCloser(io.MultiReader(strings.NewReader("#EXTM3U"), errReader{io.ErrUnexpectedEOF}))
			return a, nil
		}, ReasonTruncated},
		{"slow", func(r *http.Request) (*http.Response, error) { return nil, wait(r.Context(), time.Minute) }, ReasonTimeout},
		{"redirect without end", func(r *http.Request) (*http.Response, error) {
			return answer(302, "", "Location", "/again"), nil
		}, ReasonRedirect},
		{"redirect to a long URL", func(r *http.Request) (*http.Response, error) {
			return answer(302, "", "Location", "/"+strings.Repeat("x", maxURLBytes)), nil
		}, ReasonTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSource(t, SourceConfig{URL: base, MaxPlaylistBytes: 1000, Transport: fake(c.give)})
				if _, err := s.Load(t.Context()); ReasonOf(err) != c.want {
					t.Errorf("got %v, want %s", err, c.want)
				}
			})
		})
	}
	for _, u := range []string{"", "cdn/master.m3u8", "ftp://h/x", "http://", "http://h:x/", "https://a b/"} {
		if _, err := NewSource(SourceConfig{URL: u}); err == nil || !strings.Contains(err.Error(), "config.url") {
			t.Errorf("%q: %v", u, err)
		}
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestResponseURLLikeBrowsers(t *testing.T) {
	hops := map[string]string{
		"https://cdn.example.com/a/../live/%7Ex/m.m3u8?q='1": "//EDGE.example.net:443/é x/./y;p=(1)/m.m3u8?sig=\"b\"#frag",
	}
	var asked []string
	s := newSource(t, SourceConfig{URL: "HTTPS://CDN.Example.com:443/a/../live/%7Ex/m.m3u8?q='1#f", Transport: fake(func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.String())
		if len(asked) == 1 {
			for _, to := range hops {
				return answer(302, "", "Location", to), nil
			}
		}
		return answer(200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"), nil
	})})
	p, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://edge.example.net/%C3%A9%20x/y;p=(1)/m.m3u8?sig=%22b%22"; p.URL != want {
		t.Errorf("response URL %q, want %q", p.URL, want)
	}
	if want := "https://edge.example.net/%C3%A9%20x/y;p=(1)/m.m3u8"; p.DefaultSwarmID != want {
		t.Errorf("swarm id %q, want %q", p.DefaultSwarmID, want)
	}
	if want := "https://cdn.example.com/live/%7Ex/m.m3u8?q=%271"; asked[0] != want {
		t.Errorf("asked for %q, want %q", asked[0], want)
	}
	if got := fmt.Sprint(p.Renditions[0].URI); got != "https://edge.example.net/%C3%A9%20x/y;p=(1)/v.m3u8" {
		t.Errorf("rendition %q", got)
	}
}

func TestValidators(t *testing.T) {
	at := func(second int) string {
		return time.Date(2026, 11, 22, 10, 0, second, 0, time.UTC).Format(http.TimeFormat)
	}
	for _, c := range []struct {
		header []string
		want   validators
	}{
		{nil, validators{}},
		{[]string{"ETag", `"1"`, "Last-Modified", at(0), "Date", at(0)}, validators{etag: `"1"`}},
		{[]string{"Last-Modified", at(0), "Date", at(1)}, validators{}},
		{[]string{"Last-Modified", at(0), "Date", at(2)}, validators{lastModified: at(0)}},
		{[]string{"Last-Modified", "yesterday", "Date", at(2)}, validators{}},
	} {
		if got := validatorsOf(answer(200, "", c.header...).Header, newSource(t, SourceConfig{URL: base}).metrics.tags); got != c.want {
			t.Errorf("%v: got %+v, want %+v", c.header, got, c.want)
		}
	}
}
