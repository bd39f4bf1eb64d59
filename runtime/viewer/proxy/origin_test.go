package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

// stage is an origin with one of everything that a presentation can have.
type stage struct {
	*httptest.Server
	mu       sync.Mutex
	texts    map[string]string
	requests map[string]int
	answer   func(http.ResponseWriter, *http.Request) bool // true: it has answered
}

const (
	filmBytes  = 20_000
	stageFilms = 6 // segments of each rendition
)

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{requests: map[string]int{}, texts: map[string]string{
		"/show/master.m3u8": `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-CONTENT-STEERING:SERVER-URI="https://elsewhere.example.com/"
#EXT-X-SESSION-DATA:DATA-ID="chapters",URI="chapters.json"
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="keys/1.key"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="audio/index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="subs/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=640x360,AUDIO="a",SUBTITLES="s"
v/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=2000000,CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="a",SUBTITLES="s"
ranged/index.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=10000,CODECS="avc1.4d401f",URI="iframes/index.m3u8"
`,
		"/show/v/index.m3u8":     media("#EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"../keys/1.key\"\n", "%d.m4s?token=secret"),
		"/show/audio/index.m3u8": media("", "%d.aac"),
		"/show/subs/index.m3u8":  media("", "%d.vtt"),
		"/show/iframes/index.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-I-FRAMES-ONLY\n" +
			"#EXTINF:2,\n#EXT-X-BYTERANGE:100@188\nall.ts\n#EXTINF:2,\n#EXT-X-BYTERANGE:200@1000\nall.ts\n#EXT-X-ENDLIST\n",
		"/show/chapters.json": `{"chapters": []}`,
	}}
	ranged := "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI=\"all.mp4\",BYTERANGE=\"100@0\"\n"
	for i := range stageFilms {
		ranged += fmt.Sprintf("#EXTINF:4,\n#EXT-X-BYTERANGE:1000@%d\nall.mp4\n", 100+1000*i)
	}
	s.texts["/show/ranged/index.m3u8"] = ranged + "#EXT-X-ENDLIST\n"
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// media is a VOD playlist with a header and names of segments.
func media(header, name string) string {
	text := "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n" + header
	for i := range stageFilms {
		text += "#EXTINF:4,\n" + fmt.Sprintf(name, i) + "\n"
	}
	return text + "#EXT-X-ENDLIST\n"
}

// film is what a path of the origin holds, if it is no text.
func film(path string) []byte {
	return bytes.Repeat([]byte(path+"\n"), filmBytes/(len(path)+1)+1)[:filmBytes]
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests[r.URL.Path]++
	answer, text := s.answer, s.texts[r.URL.Path]
	s.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	body := []byte(text)
	if text == "" {
		body = film(r.URL.Path)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (s *stage) set(answer func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *stage) count(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

// total is the number of requests below a path.
func (s *stage) total(below string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for path, c := range s.requests {
		if strings.HasPrefix(path, below) {
			n += c
		}
	}
	return n
}

// failing answers what has a suffix with a status.
func failing(suffix string, status int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, suffix) {
			return false
		}
		w.WriteHeader(status)
		return true
	}
}

// proxied runs a proxy, without peers, until the test ends or stop is called.
func proxied(t *testing.T, source string, change func(*Config)) (s *Server, base string, stop func()) {
	t.Helper()
	cfg := Config{Config: client.Config{Source: source}, Options: Options{Listen: "127.0.0.1:0"}}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.warmUpTime = 0 // no test waits for it, and one has it
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("running: %v", err)
			}
			httpClient.CloseIdleConnections()
		})
	}
	t.Cleanup(stop)
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatalf("not ready: %v", err)
	}
	return s, "http://" + s.Addr().String(), stop
}

// httpClient follows no redirects: the proxy must answer itself.
var httpClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// reply is an answer with its body read.
type reply struct {
	*http.Response
	body []byte
}

// ask makes a request; headers are "Name: value".
func ask(t *testing.T, method, url string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("reading %s: %v", url, err)
	}
	return reply{resp, body}
}

// get asks for something that must be there.
func get(t *testing.T, url string) reply {
	t.Helper()
	r := ask(t, http.MethodGet, url)
	if r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s", url, r.Status, r.body)
	}
	return r
}

var uriAttribute = regexp.MustCompile(`URI="([^"]*)"`)

// leads are the URLs that a playlist leads to, absolute, in its order.
func leads(t *testing.T, at string, text []byte) []string {
	t.Helper()
	base, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	add := func(uri string) {
		u, err := base.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		if u.Host != base.Host {
			t.Errorf("%s leads to %s", at, u)
		}
		out = append(out, u.String())
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			for _, m := range uriAttribute.FindAllStringSubmatch(line, -1) {
				add(m[1])
			}
		} else if line != "" {
			add(line)
		}
	}
	return out
}

// opened is what a player knows after it has read the multivariant playlist of
// a stage: the playlists by what they are.
func opened(t *testing.T, base string) map[string]string {
	t.Helper()
	at := base + "/master.m3u8"
	all := leads(t, at, get(t, at).body)
	names := []string{"chapters", "key", "audio", "subs", "v", "ranged", "iframes"}
	if len(all) != len(names) {
		t.Fatalf("%d things are named: %v", len(all), all)
	}
	out := map[string]string{}
	for i, name := range names {
		out[name] = all[i]
	}
	return out
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited 30 s for %s", what)
		case <-tick.C:
		}
	}
}
