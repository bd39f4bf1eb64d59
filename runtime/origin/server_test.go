package origin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// today is a time in the middle of a segment.
var today = time.Unix(1_795_367_390, 0)

// start serves an origin whose clock stands still at today unless told.
func start(t testing.TB, clock func() time.Time) (*Server, string) {
	t.Helper()
	if clock == nil {
		clock = func() time.Time { return today }
	}
	s, err := New(Config{Clock: clock}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return s, srv.URL
}

// get fetches url with extra headers (name, value, …) and reads the body, whose
// reading error is returned.
func get(t testing.TB, url string, headers ...string) (*http.Response, []byte, error) {
	t.Helper()
	return do(t, http.MethodGet, url, headers...)
}

// counted waits until n requests of a kind are counted, which is just after their last byte was read, and returns what
// is counted of that kind.
func counted(t testing.TB, s *Server, kind string, n int64) Count {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		c := s.Stats().Kinds[kind]
		if c.Requests >= n || time.Now().After(deadline) {
			return c
		}
		time.Sleep(time.Millisecond)
	}
}

func do(t testing.TB, method, url string, headers ...string) (*http.Response, []byte, error) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	tr := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	res, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res, b, err
}

func TestHeaders(t *testing.T) {
	_, url := start(t, nil)
	seq := today.Unix()/4 - 1
	for _, c := range []struct{ path, contentType, cache string }{
		{"/live/master.m3u8", playlistType, cacheHour},
		{"/live/360p.m3u8", playlistType, "no-cache"},
		{"/live/end_1000/360p.m3u8", playlistType, cacheHour},
		{"/vod/360p.m3u8", playlistType, cacheHour},
		{"/live/360p/init.mp4", "video/mp4", cacheForever},
		{fmt.Sprintf("/live/360p/%d.m4s", seq), "video/mp4", cacheForever},
		{fmt.Sprintf("/live/ts/360p/%d.ts", seq), "video/mp2t", cacheForever},
		{fmt.Sprintf("/live/audio/audio/%d.m4s", seq), "audio/mp4", cacheForever},
		{"/vod/dur_4/byterange/240p.mp4", "video/mp4", cacheForever},
	} {
		t.Run(c.path, func(t *testing.T) {
			res, body, err := get(t, url+c.path, "Origin", "https://example.com", "Accept-Encoding", "gzip")
			if err != nil || res.StatusCode != 200 {
				t.Fatal(res.Status, err)
			}
			h := res.Header
			for name, want := range map[string]string{
				"Content-Type": c.contentType, "Cache-Control": c.cache, "Content-Encoding": "",
				"Access-Control-Allow-Origin": "*", "Accept-Ranges": "bytes", "Content-Length": fmt.Sprint(len(body)),
			} {
				if h.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, h.Get(name), want)
				}
			}
			for _, name := range []string{"Content-Length", "Content-Range"} {
				if !strings.Contains(h.Get("Access-Control-Expose-Headers"), name) {
					t.Errorf("%s is not exposed", name)
				}
			}
			// The same again by tag, by range and as HEAD.
			if res, b, err := get(t, url+c.path, "If-None-Match", h.Get("ETag")); res.StatusCode != 304 || len(b) != 0 || err != nil {
				t.Errorf("If-None-Match: %s", res.Status)
			}
			res, part, err := get(t, url+c.path, "Range", "bytes=5-99")
			if err != nil || res.StatusCode != 206 || !bytes.Equal(part, body[5:100]) ||
				res.Header.Get("Content-Range") != fmt.Sprintf("bytes 5-99/%d", len(body)) {
				t.Errorf("range: %s %s", res.Status, res.Header.Get("Content-Range"))
			}
			if res, _, _ := get(t, url+c.path, "Range", fmt.Sprintf("bytes=%d-", len(body))); res.StatusCode != 416 {
				t.Errorf("range beyond the end: %s", res.Status)
			}
			if res, b, err := do(t, "HEAD", url+c.path); res.ContentLength != int64(len(body)) || len(b) != 0 || err != nil {
				t.Errorf("HEAD: %d bytes", res.ContentLength)
			}
		})
	}
}

func TestPreflightAndMethods(t *testing.T) {
	_, url := start(t, nil)
	res, _, _ := do(t, "OPTIONS", url+"/live/360p.m3u8", "Access-Control-Request-Headers", "range")
	if res.StatusCode != 204 || !strings.Contains(res.Header.Get("Access-Control-Allow-Headers"), "Range") {
		t.Errorf("preflight: %s %v", res.Status, res.Header)
	}
	if res, _, _ := do(t, "POST", url+"/live/360p.m3u8"); res.StatusCode != 405 {
		t.Errorf("POST: %s", res.Status)
	}
}

func TestAvailability(t *testing.T) {
	clock := today
	_, url := start(t, func() time.Time { return clock })
	next := today.Unix() / 4 // not complete yet
	path := fmt.Sprintf("%s/live/360p/%d.m4s", url, next)
	if res, _, _ := get(t, path); res.StatusCode != 404 || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("before it is complete: %s", res.Status)
	}
	clock = time.Unix((next+1)*4, 0)
	res, first, err := get(t, path)
	if res.StatusCode != 200 || err != nil {
		t.Fatalf("once complete: %s", res.Status)
	}
	if got := res.Header.Get("Last-Modified"); got != clock.UTC().Format(http.TimeFormat) {
		t.Errorf("Last-Modified %s", got)
	}
	// Years later and on another replica.
	_, other := start(t, func() time.Time { return today.AddDate(3, 0, 0) })
	if _, again, _ := get(t, strings.Replace(path, url, other, 1)); !bytes.Equal(first, again) {
		t.Error("a replica gives other bytes")
	}
	if _, second, _ := get(t, fmt.Sprintf("%s/live/360p/%d.m4s", url, next-4)); bytes.Equal(first, second) {
		t.Error("the segment one loop earlier has the same bytes")
	}
	res, _, _ = get(t, url+fmt.Sprintf("/live/start_%d/master.m3u8", clock.Unix()))
	if res.StatusCode != 200 {
		t.Errorf("multivariant playlist before the start: %s", res.Status)
	}
	res, _, _ = get(t, url+fmt.Sprintf("/live/start_%d/360p.m3u8", clock.Unix()))
	if res.StatusCode != 404 || res.Header.Get("Retry-After") == "" {
		t.Errorf("media playlist before the start: %s", res.Status)
	}
}

func TestErrors(t *testing.T) {
	s, url := start(t, nil)
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/live/seg_0/master.m3u8":   {400, `"seg_0"`},
		"/live/foo_0/master.m3u8":   {404, `"foo_0"`},
		"/vod/window_2/master.m3u8": {400, `"window_2"`},
		"/vod/999.m3u8":             {404, `"999"`},
		"/nothing":                  {404, ""},
	} {
		res, body, _ := get(t, url+path)
		if res.StatusCode != want.status || !strings.Contains(string(body), want.text) {
			t.Errorf("%s: %s %s", path, res.Status, body)
		}
	}
	if c := counted(t, s, KindInvalid, 4); c.Failed != 4 || c.Refused != 4 || len(s.Stats().Paths) != 0 {
		t.Errorf("stats %+v", s.Stats())
	}
}

func TestFaults(t *testing.T) {
	clock := today
	s, url := start(t, func() time.Time { return clock })
	seq := today.Unix()/4 - 1
	segment := func(knobs string) string { return fmt.Sprintf("%s/live/%s/240p/%d.m4s", url, knobs, seq) }
	_, whole, _ := get(t, fmt.Sprintf("%s/live/240p/%d.m4s", url, seq))

	res, body, err := get(t, segment("truncate_100"))
	if res.StatusCode != 200 || err == nil || res.ContentLength != int64(len(whole)) || !bytes.Equal(body, whole[:len(whole)/2]) {
		t.Errorf("truncate: %s, %d of %d bytes, %v", res.Status, len(body), res.ContentLength, err)
	}
	res, body, _ = get(t, segment("status_502_100"))
	if res.StatusCode != 502 || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("status: %s %s", res.Status, body)
	}
	begin := time.Now()
	if _, body, err = get(t, segment("slow_100")); err != nil || !bytes.Equal(body, whole) || time.Since(begin) < 100*time.Millisecond {
		t.Errorf("slow: %v after %v", err, time.Since(begin))
	}
	// A fifth of a second's worth of bits.
	begin = time.Now()
	rate := len(whole) * 8 / 1000 * 5
	if _, body, err = get(t, segment(fmt.Sprintf("rate_%d", rate))); err != nil || !bytes.Equal(body, whole) || time.Since(begin) < 150*time.Millisecond {
		t.Errorf("rate: %v after %v", err, time.Since(begin))
	}
	res, _, _ = get(t, url+"/live/seg_6/redirect/ts/master.m3u8")
	if res.StatusCode != 302 || res.Header.Get("Location") != "/live/seg_6/ts/master.m3u8" {
		t.Errorf("redirect: %s %s", res.Status, res.Header.Get("Location"))
	}
	res, body, _ = get(t, url+"/live/notplaylist/master.m3u8")
	if res.StatusCode != 200 || bytes.Contains(body, []byte("#EXTM3U")) {
		t.Errorf("notplaylist: %s %s", res.Status, body)
	}
	clock = clock.Truncate(time.Minute)
	if res, _, _ = get(t, url+"/live/down_0_30/master.m3u8"); res.StatusCode != 503 {
		t.Errorf("down: %s", res.Status)
	}
	if c := counted(t, s, KindSegment, 5); c.Failed != 2 || c.Complete != 3 {
		t.Errorf("segments are counted as %+v", c)
	}
}

// A client that goes away frees a delayed request at once.
func TestSlowClientLeaves(t *testing.T) {
	s, _ := start(t, nil)
	begun, ended := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		defer close(ended)
		s.Handler().ServeHTTP(w, r)
	}))
	defer srv.Close()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/vod/slow_60000/240p/0.m4s", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-begun
		cancel()
	}()
	if res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req); err == nil {
		_ = res.Body.Close()
		t.Error("an answer")
	}
	<-ended
	if got := s.Stats().Kinds[KindSegment]; got.Requests != 1 || got.Failed != 1 || got.Refused != 0 {
		t.Errorf("counted as %+v", got)
	}
}

func TestStats(t *testing.T) {
	s, url := start(t, nil)
	for range 3 {
		_, _, _ = get(t, url+"/vod/240p/3.m4s")
	}
	_, part, _ := get(t, url+"/vod/dur_4/byterange/240p.mp4", "Range", "bytes=10-19")
	_, _, _ = get(t, url+"/vod/240p/init.mp4")
	_, _, _ = get(t, url+"/vod/240p.m3u8")
	for kind, n := range map[string]int64{KindSegment: 4, KindInit: 1, KindPlaylist: 1} {
		counted(t, s, kind, n)
	}
	_, raw, err := get(t, url+"/requests")
	if err != nil {
		t.Fatal(err)
	}
	var st Stats
	if err := json.Unmarshal(raw, &st); err != nil {
		t.Fatal(err)
	}
	if got := st.Paths["/vod/240p/3.m4s"]; got.Requests != 3 || got.Complete != 3 || got.Bytes == 0 || got.Bytes%3 != 0 {
		t.Errorf("one segment thrice: %+v", got)
	}
	if got := st.Paths["/vod/dur_4/byterange/240p.mp4 bytes=10-19"]; got.Bytes != int64(len(part)) || got.Complete != 1 {
		t.Errorf("a range: %+v", got)
	}
	for kind, want := range map[string]int64{KindSegment: 4, KindInit: 1, KindPlaylist: 1} {
		if got := st.Kinds[kind].Requests; got != want {
			t.Errorf("%s: %d requests, want %d", kind, got, want)
		}
	}
	if _, metrics, _ := get(t, url+"/metrics"); !bytes.Contains(metrics, []byte(`p2pstream_origin_requests_total{code="206",kind="segment"} 1`)) {
		t.Errorf("metrics:\n%s", metrics)
	}
	if got := s.Stats().Kinds[KindSegment]; got != st.Kinds[KindSegment] {
		t.Errorf("Stats says %+v", got)
	}
}

func TestStatsAreBounded(t *testing.T) {
	s, err := newStats(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxPaths + 100 {
		s.count(KindSegment, fmt.Sprint(i), Count{Requests: 1})
	}
	st := s.snapshot()
	_, oldest := st.Paths["99"]
	_, newest := st.Paths[fmt.Sprint(maxPaths+99)]
	if len(st.Paths) != maxPaths || st.Forgotten != 100 || oldest || !newest || st.Kinds[KindSegment].Requests != maxPaths+100 {
		t.Errorf("%d paths, %d forgotten", len(st.Paths), st.Forgotten)
	}
}

func TestRun(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr() != nil {
		t.Error("an address before listening")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	url := "http://" + s.Addr().String()
	for path, want := range map[string]string{"/": "/live/master.m3u8", "/healthz": "ok", "/live/master.m3u8": "#EXTM3U"} {
		if _, body, err := get(t, url+path); err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: %s %v", path, body, err)
		}
	}
	other, err := New(Config{Listen: s.Addr().String()}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Run(ctx); err == nil {
		t.Error("two servers on one port")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("still listening")
	}
}

func TestConfig(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	_, err := New(Config{Listen: "x"}, nil, nil)
	if err == nil || err.Error() != `config.listen: "x" is not host:port; use ":8100"` {
		t.Error(err)
	}
	reg := prometheus.NewRegistry()
	for i := range 2 {
		if _, err := New(Config{}, nil, reg); (err != nil) != (i == 1) {
			t.Errorf("registration %d: %v", i, err)
		}
	}
}

func BenchmarkServeSegment(b *testing.B) {
	s, err := New(Config{}, nil, nil)
	if err != nil {
		b.Fatal(err)
	}
	for _, path := range []string{"/vod/480p/3.m4s", "/vod/ts/480p/3.ts"} {
		b.Run(path[len(path)-3:], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				w.Body = nil
				s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
