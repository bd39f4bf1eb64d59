package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

// TestEverythingOfAPresentation walks all playlists as a player would and holds
// what they lead to against the origin's bytes.
func TestEverythingOfAPresentation(t *testing.T) {
	o := newStage(t)
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	at := opened(t, base)
	equal := func(url string, kind string, want []byte) {
		t.Helper()
		r := get(t, url)
		if !bytes.Equal(r.body, want) {
			t.Errorf("%s: %d bytes, want %d others", url, len(r.body), len(want))
		}
		if got := r.Header.Get("Content-Type"); got != kind {
			t.Errorf("%s: type %s, want %s", url, got, kind)
		}
		if r.ContentLength != int64(len(want)) || r.Header.Get("ETag") == "" && kind != "video/mp2t" {
			t.Errorf("%s: Content-Length %d, headers %v", url, r.ContentLength, r.Header)
		}
	}
	equal(at["chapters"], "application/json", []byte(`{"chapters": []}`))
	equal(at["key"], "application/octet-stream", film("/show/keys/1.key"))

	in := func(name string) []string {
		t.Helper()
		r := get(t, at[name])
		if r.Header.Get("Content-Type") != playlistType || !bytes.HasSuffix(r.body, []byte("#EXT-X-ENDLIST\n")) {
			t.Errorf("%s: type %s\n%s", name, r.Header.Get("Content-Type"), r.body)
		}
		return leads(t, at[name], r.body)
	}
	video := in("v")
	equal(video[0], "video/mp4", film("/show/v/init.mp4"))
	equal(video[1], "application/octet-stream", film("/show/keys/1.key"))
	for i, url := range video[2:] {
		equal(url, "video/mp4", film(fmt.Sprintf("/show/v/%d.m4s", i)))
	}
	for i, url := range in("audio") {
		equal(url, "audio/aac", film(fmt.Sprintf("/show/audio/%d.aac", i)))
	}
	for i, url := range in("subs") {
		equal(url, "text/vtt", film(fmt.Sprintf("/show/subs/%d.vtt", i)))
	}
	whole := film("/show/ranged/all.mp4")
	ranged := in("ranged")
	equal(ranged[0], "video/mp4", whole[:100])
	for i, url := range ranged[1:] {
		equal(url, "video/mp4", whole[100+1000*i:1100+1000*i])
	}
	frames := in("iframes")
	if len(frames) != 2 || frames[0] != frames[1] {
		t.Fatalf("I-frames: %v", frames)
	}
	equal(frames[0], "video/mp2t", film("/show/iframes/all.ts"))
	r := ask(t, http.MethodGet, frames[0], "Range: bytes=188-287")
	if r.StatusCode != http.StatusPartialContent || !bytes.Equal(r.body, film("/show/iframes/all.ts")[188:288]) || r.Header.Get("Content-Range") != "bytes 188-287/*" {
		t.Errorf("an I-frame: %s, %d bytes, %v", r.Status, len(r.body), r.Header)
	}
	for path, most := range map[string]int{"/show/master.m3u8": 1, "/show/v/index.m3u8": 1, "/show/subs/index.m3u8": 1, "/show/v/3.m4s": 1, "/show/v/init.mp4": 1} {
		if n := o.count(path); n > most {
			t.Errorf("%s was fetched %d times", path, n)
		}
	}
}

// TestAMediaPlaylistAlone opens one without a multivariant playlist.
func TestAMediaPlaylistAlone(t *testing.T) {
	o := newStage(t)
	_, base, _ := proxied(t, o.URL+"/show/audio/index.m3u8", nil)
	at := base + "/master.m3u8"
	all := leads(t, at, get(t, at).body)
	if len(all) != 1 {
		t.Fatalf("leads to %v", all)
	}
	for i, url := range leads(t, all[0], get(t, all[0]).body) {
		if got := get(t, url).body; !bytes.Equal(got, film(fmt.Sprintf("/show/audio/%d.aac", i))) {
			t.Errorf("segment %d: %d bytes", i, len(got))
		}
	}
}

func TestRanges(t *testing.T) {
	o := newStage(t)
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	at := opened(t, base)["v"]
	names := leads(t, at, get(t, at).body)
	segment, init := names[2], names[0]
	for what, url := range map[string]string{"a segment": segment, "an initialization section": init} {
		want := film(map[string]string{segment: "/show/v/0.m4s", init: "/show/v/init.mp4"}[url])
		etag := get(t, url).Header.Get("ETag")
		for _, tt := range []struct {
			headers []string
			status  int
			body    []byte
			span    string // Content-Range
		}{
			{nil, 200, want, ""},
			{[]string{"Range: bytes=0-"}, 206, want, "bytes 0-19999/20000"},
			{[]string{"Range: bytes=0-99"}, 206, want[:100], "bytes 0-99/20000"},
			{[]string{"Range: bytes=100-199"}, 206, want[100:200], "bytes 100-199/20000"},
			{[]string{"Range: bytes=19999-30000"}, 206, want[19999:], "bytes 19999-19999/20000"},
			{[]string{"Range: bytes=-5"}, 206, want[19995:], "bytes 19995-19999/20000"},
			{[]string{"Range: bytes=-50000"}, 206, want, "bytes 0-19999/20000"},
			{[]string{"Range: bytes=20000-"}, 416, nil, "bytes */20000"},
			{[]string{"Range: bytes=30000-40000"}, 416, nil, "bytes */20000"},
			{[]string{"Range: bytes=5-1"}, 416, nil, ""},
			{[]string{"Range: bytes=a-b"}, 416, nil, ""},
			{[]string{"Range: bytes=0-1", "If-Range: " + etag}, 206, want[:2], "bytes 0-1/20000"},
			{[]string{"Range: bytes=0-1", "If-Range: \"other\""}, 200, want, ""},
			{[]string{"Range: bytes=0-1", "If-Range: W/" + etag}, 200, want, ""},
			{[]string{"If-None-Match: " + etag}, 304, nil, ""},
			{[]string{"If-None-Match: \"other\""}, 200, want, ""},
		} {
			r := ask(t, http.MethodGet, url, tt.headers...)
			if r.StatusCode != tt.status || r.Header.Get("Content-Range") != tt.span && tt.span != "" {
				t.Errorf("%s, %v: %s, %q; want %d, %q", what, tt.headers, r.Status, r.Header.Get("Content-Range"), tt.status, tt.span)
			}
			if tt.body != nil && !bytes.Equal(r.body, tt.body) {
				t.Errorf("%s, %v: %d bytes, want %d others", what, tt.headers, len(r.body), len(tt.body))
			}
			if tt.status == 200 && r.ContentLength != int64(len(want)) {
				t.Errorf("%s, %v: Content-Length %d", what, tt.headers, r.ContentLength)
			}
			head := ask(t, http.MethodHead, url, tt.headers...)
			if head.StatusCode != tt.status || len(head.body) != 0 || head.ContentLength != r.ContentLength && tt.status < 300 {
				t.Errorf("%s, HEAD %v: %s, length %d", what, tt.headers, head.Status, head.ContentLength)
			}
		}
		r := ask(t, http.MethodGet, url, "Range: bytes=0-1,5-6")
		if kind := r.Header.Get("Content-Type"); r.StatusCode != 206 || !strings.HasPrefix(kind, "multipart/byteranges") {
			t.Errorf("%s, two ranges: %s, %s", what, r.Status, kind)
		}
	}
	if n := o.count("/show/v/0.m4s"); n != 1 {
		t.Errorf("the segment was fetched %d times", n)
	}
	playlist := get(t, at)
	if r := ask(t, http.MethodGet, at, "If-None-Match: "+playlist.Header.Get("ETag")); r.StatusCode != http.StatusNotModified {
		t.Errorf("a playlist that has not changed: %s", r.Status)
	}
}

func TestWhoMayAskAndHow(t *testing.T) {
	o := newStage(t)
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", func(c *Config) { c.AllowedHosts = []string{"tv.example.com"} })
	master := base + "/master.m3u8"
	for _, tt := range []struct {
		method, url string
		headers     []string
		status      int
		want        map[string]string // headers
	}{
		{"GET", master, nil, 200, map[string]string{"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}},
		{"GET", base + "/", nil, 200, map[string]string{"Content-Type": "text/plain; charset=utf-8"}},
		{"HEAD", master, nil, 200, nil},
		{"GET", master, []string{"Host: tv.example.com:8080"}, 200, nil},
		{"GET", master, []string{"Host: localhost"}, 200, nil},
		{"GET", master, []string{"Host: evil.example.com"}, 403, map[string]string{"Access-Control-Allow-Origin": ""}},
		{"OPTIONS", master, []string{"Host: evil.example.com"}, 403, map[string]string{"Access-Control-Allow-Origin": ""}},
		{"OPTIONS", master, []string{"Origin: https://page.example.com", "Access-Control-Request-Method: GET"}, 204,
			map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS", "Access-Control-Allow-Private-Network": ""}},
		{"OPTIONS", master, []string{"Access-Control-Request-Private-Network: true"}, 204, map[string]string{"Access-Control-Allow-Private-Network": "true"}},
		{"POST", master, nil, 405, map[string]string{"Allow": "GET, HEAD, OPTIONS", "Access-Control-Allow-Origin": "*"}},
		{"DELETE", master, nil, 405, nil},
		{"CONNECT", master, nil, 405, nil},
		{"GET", base + "/show/master.m3u8", nil, 404, map[string]string{"Cache-Control": "no-store"}},
		{"GET", base + "/p/player/nosuch/index.m3u8", nil, 404, nil},
		{"GET", base + "/p/player/master/index.m3u8", nil, 404, nil},
		{"GET", base + "/p/player/master/file-nosuch", nil, 404, nil},
		{"GET", base + "/p/../p/x/y/z", nil, 404, nil},
		{"GET", base + "/p/" + strings.Repeat("x", 200) + "/y/z", nil, 404, nil},
		{"GET", base + "/metrics", nil, 404, nil},
	} {
		r := ask(t, tt.method, tt.url, tt.headers...)
		if r.StatusCode != tt.status {
			t.Errorf("%s %s %v: %s, want %d", tt.method, tt.url, tt.headers, r.Status, tt.status)
		}
		for name, want := range tt.want {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s %s %v: %s is %q, want %q", tt.method, tt.url, tt.headers, name, got, want)
			}
		}
		if tt.status >= 400 && tt.method == "GET" && !bytes.HasPrefix(r.body, []byte("p2pstream: ")) {
			t.Errorf("%s: %q does not say what is wrong", tt.url, r.body)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, master, strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a request with a body: %s", resp.Status)
	}
}

// TestItIsNoOpenProxy tries to have something fetched that the presentation does
// not name.
func TestItIsNoOpenProxy(t *testing.T) {
	o := newStage(t)
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	at := opened(t, base)
	before := o.total("/private")
	for _, target := range []string{
		"/" + o.URL + "/private", "/p/player/" + hash(o.URL+"/private") + "/index.m3u8", "/p/player/master/file-" + hash(o.URL+"/private"),
		"/master.m3u8?url=" + o.URL + "/private", "/p/player/%2e%2e/private", "/p/player/..%2fprivate/x",
	} {
		_ = ask(t, http.MethodGet, base+target)
	}
	v := strings.TrimSuffix(at["v"], "index.m3u8")
	for _, name := range []string{"file-" + hash(o.URL+"/private"), "0-" + hash(o.URL+"/private") + ".m4s", "init-" + hash(o.URL+"/private")} {
		if r := ask(t, http.MethodGet, v+name); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", name, r.Status)
		}
	}
	// In the way of an HTTP proxy.
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "GET %s/private HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", o.URL); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
		t.Errorf("answered %q, %v", answer, err)
	}
	if n := o.total("/private"); n != before {
		t.Errorf("%d requests for what the presentation does not name", n-before)
	}
}

// TestPlayersSurviveARestart gives a player's URLs to another proxy of the stream.
func TestPlayersSurviveARestart(t *testing.T) {
	o := newStage(t)
	_, base, stop := proxied(t, o.URL+"/show/master.m3u8", nil)
	at := opened(t, base)
	segment := leads(t, at["v"], get(t, at["v"]).body)[4]
	subtitle := leads(t, at["subs"], get(t, at["subs"]).body)[1]
	stop()
	_, again, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	for url, want := range map[string]string{segment: "/show/v/2.m4s", subtitle: "/show/subs/1.vtt", at["chapters"]: "", at["v"]: ""} {
		r := get(t, again+strings.TrimPrefix(url, base))
		if want != "" && !bytes.Equal(r.body, film(want)) {
			t.Errorf("%s: %d bytes", url, len(r.body))
		}
	}
}

// TestAPlayerThatLeavesStopsItsDemand has a player take one segment and go.
func TestAPlayerThatLeavesStopsItsDemand(t *testing.T) {
	o := newStage(t)
	s, base, _ := proxied(t, o.URL+"/show/master.m3u8", func(c *Config) { c.PlayerIdle = duration.Duration(time.Millisecond) })
	at := opened(t, base)
	// A target duration of a second: the test does not wait for long.
	o.mu.Lock()
	o.texts["/show/v/index.m3u8"] = strings.ReplaceAll(o.texts["/show/v/index.m3u8"], "DURATION:4", "DURATION:1")
	o.mu.Unlock()
	_ = get(t, leads(t, at["v"], get(t, at["v"]).body)[2])
	if playing, watching := s.players.count(); playing != 1 || watching != 1 {
		t.Errorf("%d players, %d renditions", playing, watching)
	}
	eventually(t, "the player to be forgotten", func() bool {
		playing, watching := s.players.count()
		return playing == 0 && watching == 0 && len(s.Engine().Status().Renditions) == 0
	})
	// A rendition leaves the status first, and its store when it has ended.
	eventually(t, "no byte to be held without a player", func() bool { return s.Engine().Status().Store.Bytes == 0 })
}

// TestRehearsal looks what is awake before the first player comes, and for how long.
func TestRehearsal(t *testing.T) {
	o := newStage(t)
	s, err := New(Config{Config: client.Config{Source: o.URL + "/show/master.m3u8"}, Options: Options{Listen: "127.0.0.1:0"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.warmUpTime = time.Second
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	awake := func() int {
		if s.Engine() == nil {
			return 0
		}
		return len(s.Engine().Status().Renditions)
	}
	eventually(t, "the first video and the first audio to be awake", func() bool { return awake() == 2 })
	eventually(t, "both to sleep again", func() bool { return awake() == 0 })
	if n := o.total("/show/v/") + o.total("/show/audio/") - o.count("/show/v/index.m3u8") - o.count("/show/audio/index.m3u8"); n != 0 {
		t.Errorf("%d segments were fetched without a player", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("running: %v", err)
	}
}

func TestLimits(t *testing.T) {
	o := newStage(t)
	s, base, _ := proxied(t, o.URL+"/show/master.m3u8", func(c *Config) { c.MaxPlayers, c.MaxRequests = 2, 3 })
	running := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d requests to run", n), func() bool { return len(s.handler.(*handler).slots) == n })
	}
	at := opened(t, base)["audio"]
	path := strings.SplitN(strings.TrimPrefix(at, base), "/", 4)[3]
	for i, want := range []int{200, 200, 503} {
		r := ask(t, http.MethodGet, fmt.Sprintf("%s/p/player%d/%s", base, i, path))
		if r.StatusCode != want || (want == 503) != (r.Header.Get("Retry-After") != "") {
			t.Errorf("player %d: %s %q", i, r.Status, r.body)
		}
	}
	gate := make(chan struct{})
	o.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".aac") {
			select {
			case <-gate:
			case <-r.Context().Done():
			}
		}
		return false
	})
	var work sync.WaitGroup
	urls := leads(t, base+"/p/player0/"+path, get(t, base+"/p/player0/"+path).body)
	running(0)
	for i := range 3 {
		work.Go(func() {
			if r := ask(t, http.MethodGet, urls[i]); r.StatusCode != 200 {
				t.Errorf("request %d: %s", i, r.Status)
			}
		})
		running(i + 1)
	}
	if r := ask(t, http.MethodGet, base+"/master.m3u8"); r.StatusCode != 503 {
		t.Errorf("a fourth request at a time: %s", r.Status)
	}
	close(gate)
	work.Wait()
}

func TestTheEndIsQuick(t *testing.T) {
	o := newStage(t)
	s, base, stop := proxied(t, o.URL+"/show/master.m3u8", func(c *Config) { c.AdminListen = "127.0.0.1:0" })
	asked := make(chan struct{}, 10)
	o.set(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, ".m4s") {
			asked <- struct{}{}
			<-r.Context().Done()
		}
		return false
	})
	at := opened(t, base)["v"]
	url := leads(t, at, get(t, at).body)[2]
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if resp, err := httpClient.Get(url); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-asked
	admin := get(t, "http://"+s.admin.Addr().String()+"/metrics")
	for _, want := range []string{"p2pstream_proxy_players 1", "p2pstream_proxy_requests_in_flight 1", "p2pstream_proxy_received_bytes_total{source=\"seeder\"} 0",
		"p2pstream_proxy_requests_total{code=\"200\",kind=\"multivariant\"} 1", "p2pstream_proxy_store_limit_bytes"} {
		if !strings.Contains(string(admin.body), want) {
			t.Errorf("metrics have no %s", want)
		}
	}
	if r := get(t, "http://"+s.admin.Addr().String()+"/readyz"); string(r.body) != "ok\n" {
		t.Errorf("readiness: %s", r.body)
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %v", took)
	}
	<-ended
}

func TestConfig(t *testing.T) {
	for want, cfg := range map[string]Config{
		"config.configURL":      {},
		"config.source":         {Config: client.Config{Source: "ftp://x"}},
		"config.listen":         {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{Listen: "here"}},
		"config.adminListen":    {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{AdminListen: "here"}},
		"config.allowedHosts":   {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{AllowedHosts: []string{"*"}}},
		"config.allowedHosts[1": {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{AllowedHosts: []string{"::1", "a:80"}}},
		"config.maxPlayers":     {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{MaxPlayers: -1}},
		"config.maxRequests":    {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{MaxRequests: -1}},
		"config.playerIdle":     {Config: client.Config{Source: "http://x/m.m3u8"}, Options: Options{PlayerIdle: -1}},
	} {
		if _, err := New(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s named", err, want)
		}
	}
	s, err := New(Config{Config: client.Config{Source: "http://127.0.0.1:1/m.m3u8"}, Options: Options{Listen: "192.0.2.1:1"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.URL() != "" || s.Addr() != nil {
		t.Errorf("an address before there is one: %s", s.URL())
	}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "listening") {
		t.Errorf("an address of another host: %v", err)
	}
}
