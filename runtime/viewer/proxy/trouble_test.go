package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestOriginTroubleIsToldInShort(t *testing.T) {
	for name, tt := range map[string]struct {
		answer  func(http.ResponseWriter, *http.Request) bool
		name    string // of the playlist
		file    int    // in it; -1: the playlist
		status  int
		mention string
	}{
		"a segment that is not there":          {failing(".m4s", 404), "v", 2, 404, "segment 0 of 360p"},
		"a segment that was removed":           {failing(".m4s", 410), "v", 3, 410, "segment 1 of 360p"},
		"a segment that is forbidden":          {failing(".m4s", 403), "v", 2, 502, "HTTP 403"},
		"an initialization section in trouble": {failing("init.mp4", 500), "v", 0, 502, "HTTP 500"},
		"a key that is not there":              {failing(".key", 404), "v", 1, 404, "a key of 360p"},
		"a playlist that is not there":         {failing("/v/index.m3u8", 404), "v", -1, 404, "the playlist of 360p"},
		"a playlist in trouble":                {failing("/v/index.m3u8", 503), "v", -1, 502, "HTTP 503"},
		"subtitles in trouble":                 {failing(".vtt", 500), "subs", 0, 502, "HTTP 500"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newStage(t)
			_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
			at := opened(t, base)[tt.name]
			url := at
			o.set(tt.answer)
			if tt.file >= 0 {
				url = leads(t, at, get(t, at).body)[tt.file]
			}
			r := ask(t, http.MethodGet, url)
			if r.StatusCode != tt.status || !strings.Contains(string(r.body), tt.mention) || strings.Contains(string(r.body), "secret") {
				t.Errorf("%s: %q; want %d and %q", r.Status, r.body, tt.status, tt.mention)
			}
			if len(r.body) > 400 || r.Header.Get("Cache-Control") != cacheNever {
				t.Errorf("%d bytes of text, Cache-Control %q", len(r.body), r.Header.Get("Cache-Control"))
			}
			o.set(nil)
			eventually(t, "the trouble to be over", func() bool { return ask(t, http.MethodGet, url).StatusCode == 200 })
		})
	}
}

func TestAStreamThatIsNotThere(t *testing.T) {
	o := newStage(t)
	o.set(failing("master.m3u8", 404))
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	r := ask(t, http.MethodGet, base+"/master.m3u8")
	if r.StatusCode != http.StatusNotFound || !strings.Contains(string(r.body), "multivariant") {
		t.Errorf("%s: %q", r.Status, r.body)
	}
	o.set(nil)
	eventually(t, "the stream to come up", func() bool { return ask(t, http.MethodGet, base+"/master.m3u8").StatusCode == 200 })
}

// TestAPlaylistOutlivesItsOrigin has the origin fail once a live playlist was
// handed out: players go on with that.
func TestAPlaylistOutlivesItsOrigin(t *testing.T) {
	o := newStage(t)
	o.mu.Lock()
	o.texts["/show/v/index.m3u8"] = strings.TrimSuffix(o.texts["/show/v/index.m3u8"], "#EXT-X-ENDLIST\n")
	o.mu.Unlock()
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	at := opened(t, base)["v"]
	want := get(t, at)
	if want.Header.Get("Cache-Control") != cacheRevalidate {
		t.Errorf("Cache-Control %q", want.Header.Get("Cache-Control"))
	}
	o.set(failing(".m3u8", 500))
	loads := o.count("/show/v/index.m3u8")
	eventually(t, "the proxy to have tried again", func() bool {
		if got := get(t, at); !bytes.Equal(got.body, want.body) {
			t.Fatalf("another playlist: %s", got.body)
		}
		return o.count("/show/v/index.m3u8") > loads
	})
}

// TestOutsideOfTheWindow asks for segments before and behind a live playlist.
func TestOutsideOfTheWindow(t *testing.T) {
	o := newStage(t)
	o.mu.Lock()
	o.texts["/show/v/index.m3u8"] = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:500\n#EXTINF:4,\n500.m4s\n#EXTINF:4,\n501.m4s\n"
	o.mu.Unlock()
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	at := opened(t, base)["v"]
	_ = get(t, at)
	dir := strings.TrimSuffix(at, "index.m3u8")
	for name, want := range map[string]struct {
		status int
		text   string
	}{
		"499-abc.m4s":  {410, "segment 499 of 360p has left the playlist, which starts at 500"},
		"502-abc.m4s":  {404, "segment 502 of 360p is not published yet; the newest is 501"},
		"501-abc.m4s":  {404, "has another segment with this number"},
		"init-abc.mp4": {404, "an initialization section of 360p"},
	} {
		r := ask(t, http.MethodGet, dir+name)
		if r.StatusCode != want.status || !strings.Contains(string(r.body), want.text) {
			t.Errorf("%s: %s %q, want %d %q", name, r.Status, r.body, want.status, want.text)
		}
	}
}

// TestAPlayerThatGoesInTheMiddle disconnects while a segment comes; the segment
// is fetched to its end, and the next player has it.
func TestAPlayerThatGoesInTheMiddle(t *testing.T) {
	o := newStage(t)
	s, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	gate := make(chan struct{})
	o.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/show/v/0.m4s" {
			return false
		}
		body := film(r.URL.Path)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:8192])
		w.(http.Flusher).Flush()
		<-gate
		_, _ = w.Write(body[8192:])
		return true
	})
	at := opened(t, base)["v"]
	url := leads(t, at, get(t, at).body)[2]
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 4096)); err != nil {
		t.Errorf("bytes do not come while the segment does: %v", err)
	}
	cancel()
	_ = resp.Body.Close()
	eventually(t, "the request to be over", func() bool { return len(s.handler.(*handler).slots) == 0 })
	close(gate)
	if r := get(t, url); !bytes.Equal(r.body, film("/show/v/0.m4s")) {
		t.Errorf("the next player got %d bytes", len(r.body))
	}
	if n := o.count("/show/v/0.m4s"); n != 1 {
		t.Errorf("the segment was fetched %d times", n)
	}
}

// TestBytesThatDoNotCome lets the origin stop in the middle of a segment for
// good: the player must not take these bytes for the whole file.
func TestBytesThatDoNotCome(t *testing.T) {
	o := newStage(t)
	_, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	o.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/show/v/0.m4s" {
			return false
		}
		if r.Header.Get("Range") != "" {
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		w.Header().Set("Content-Length", fmt.Sprint(filmBytes))
		_, _ = w.Write(film(r.URL.Path)[:8192])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	at := opened(t, base)["v"]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, leads(t, at, get(t, at).body)[2], nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != 200 {
		return // it came to nothing before the answer began
	}
	if body, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

// TestAPlayerThatStopsReading is cut off, and does not hold its request for ever.
func TestAPlayerThatStopsReading(t *testing.T) {
	o := newStage(t)
	large := make([]byte, 24<<20) // more than sockets buffer
	o.set(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ".m4s") {
			return false
		}
		_, _ = w.Write(large)
		return true
	})
	s, base, _ := proxied(t, o.URL+"/show/master.m3u8", nil)
	s.writeTimeout = 200 * time.Millisecond
	at := opened(t, base)["v"]
	path := strings.TrimPrefix(leads(t, at, get(t, at).body)[2], base)
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
	slots := s.handler.(*handler).slots
	eventually(t, "the request to be answered", func() bool { return len(slots) == 1 })
	eventually(t, "the player to be cut off", func() bool { return len(slots) == 0 })
	if n, err := io.Copy(io.Discard, conn); n == 0 || n >= int64(len(large)) {
		t.Errorf("%d bytes came, %v", n, err)
	}
}
