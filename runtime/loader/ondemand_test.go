package loader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// film is an origin of two renditions, a and b, of eight segments each.
type film struct {
	*httptest.Server
	mu       sync.Mutex
	requests map[string]int
	answer   func(http.ResponseWriter, *http.Request) bool // true: it has answered
	master   string
}

const filmSegments = 8

func newFilm(t *testing.T) *film {
	t.Helper()
	f := &film{requests: map[string]int{}, master: "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\na.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2000\nb.m3u8\n"}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// bytesOf is a segment; each differs from all others.
func bytesOf(path string) []byte { return bytes.Repeat([]byte(path+" "), 2000) }

func (f *film) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests[r.URL.Path]++
	answer, master := f.answer, f.master
	f.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	switch path := r.URL.Path; {
	case path == "/m.m3u8":
		_, _ = io.WriteString(w, master)
	case strings.HasSuffix(path, ".m3u8"):
		_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n")
		for i := range filmSegments {
			_, _ = fmt.Fprintf(w, "#EXTINF:4,\n%s/%d.ts\n", strings.TrimSuffix(path[1:], ".m3u8"), i)
		}
		_, _ = io.WriteString(w, "#EXT-X-ENDLIST\n")
	default:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(bytesOf(path)))
	}
}

func (f *film) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.requests[path]
}

func (f *film) set(answer func(http.ResponseWriter, *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// onDemandEngine runs an engine without peers for a film.
func onDemandEngine(t *testing.T, f *film, change func(*Config)) *Engine {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: f.URL + "/m.m3u8", StallTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Role: RoleViewer, Source: source, OnDemand: true}
	if change != nil {
		change(&cfg)
	}
	return running(t, cfg)
}

// running runs an engine without peers until the test ends, and closes its source then.
func running(t *testing.T, cfg Config) *Engine {
	t.Helper()
	e, err := New(cfg, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("running: %v", err)
		}
		cfg.Source.Close()
	})
	return e
}

func watch(t *testing.T, e *Engine, uri string) *rendition.Watch {
	t.Helper()
	w, err := e.Watch(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	if p, _, err := w.Playlist(t.Context(), time.Hour); err != nil || len(p.Segments) != filmSegments {
		t.Fatalf("playlist %+v, %v", p, err)
	}
	return w
}

// read asks for a whole segment.
func read(t *testing.T, w *rendition.Watch, key string) ([]byte, error) {
	t.Helper()
	r, err := w.Open(t.Context(), key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(r)
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited 20 s for %s", what)
		case <-tick.C:
		}
	}
}

// TestPlayersShareOneCopy lets four players read a film at once, two of them
// the same rendition: every segment arrives whole and is fetched once.
func TestPlayersShareOneCopy(t *testing.T) {
	f := newFilm(t)
	e := onDemandEngine(t, f, nil)
	var work sync.WaitGroup
	for i, name := range []string{"a", "a", "b", "a"} {
		w := watch(t, e, f.URL+"/"+name+".m3u8")
		work.Go(func() {
			for n := range filmSegments {
				if i == 3 {
					n = filmSegments - 1 - n // one goes backwards
				}
				path := fmt.Sprintf("/%s/%d.ts", name, n)
				got, err := read(t, w, f.URL+path)
				if err != nil || !bytes.Equal(got, bytesOf(path)) {
					t.Errorf("%s: %d bytes, %v", path, len(got), err)
				}
			}
		})
	}
	work.Wait()
	for _, name := range []string{"a", "b"} {
		for n := range filmSegments {
			if c := f.count(fmt.Sprintf("/%s/%d.ts", name, n)); c != 1 {
				t.Errorf("%s/%d.ts was fetched %d times", name, n, c)
			}
		}
	}
	if c := e.Counters(); c.HTTP != int64(2*filmSegments*len(bytesOf("/a/0.ts"))) || c.Discarded != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestNextSegmentIsCollectedAhead(t *testing.T) {
	f := newFilm(t)
	e := onDemandEngine(t, f, nil)
	w := watch(t, e, f.URL+"/a.m3u8")
	if _, err := read(t, w, f.URL+"/a/2.ts"); err != nil {
		t.Fatal(err)
	}
	until(t, "the next segment to be collected", func() bool { return f.count("/a/3.ts") == 1 })
	for _, n := range []int{0, 1, 6, 7} {
		if c := f.count(fmt.Sprintf("/a/%d.ts", n)); c != 0 {
			t.Errorf("segment %d was collected after a single request", n)
		}
	}
	until(t, "segment 3 to be held", func() bool {
		r, err := w.Open(t.Context(), f.URL+"/a/3.ts")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		return r.Held()
	})
}

func TestRenditionsSleep(t *testing.T) {
	f := newFilm(t)
	e := onDemandEngine(t, f, nil)
	first, second := watch(t, e, f.URL+"/a.m3u8"), watch(t, e, f.URL+"/a.m3u8")
	if got := e.Status().Renditions; len(got) != 1 {
		t.Errorf("awake: %+v", got)
	}
	if _, err := read(t, first, f.URL+"/a/0.ts"); err != nil {
		t.Fatal(err)
	}
	first.Close()
	first.Close()
	if _, err := read(t, second, f.URL+"/a/1.ts"); err != nil {
		t.Errorf("the other player: %v", err)
	}
	second.Close()
	until(t, "the rendition to sleep", func() bool { return len(e.Status().Renditions) == 0 })
	if st := e.Status().Store; st.Segments != 0 || st.Bytes != 0 {
		t.Errorf("held of what sleeps: %+v", st)
	}
	if _, err := second.Open(t.Context(), f.URL+"/a/0.ts"); !errors.Is(err, ondemand.ErrStopped) {
		t.Errorf("a closed watch: %v", err)
	}
	again := watch(t, e, f.URL+"/a.m3u8")
	if got, err := read(t, again, f.URL+"/a/0.ts"); err != nil || !bytes.Equal(got, bytesOf("/a/0.ts")) {
		t.Errorf("woken again: %d bytes, %v", len(got), err)
	}
}

func TestWhyASegmentDoesNotCome(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".ts") {
				w.WriteHeader(code)
				return true
			}
			return false
		}
	}
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request) bool
		key    string
		want   func(error) bool
	}{
		"the origin has none":        {status(404), "/a/0.ts", func(err error) bool { return statusOf(err) == 404 }},
		"the origin is in trouble":   {status(503), "/a/0.ts", func(err error) bool { return statusOf(err) == 503 }},
		"the playlist does not know": {nil, "/a/99.ts", func(err error) bool { return errors.Is(err, ondemand.ErrUnknownSegment) }},
		"the origin is silent": {func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, ".ts") {
				<-r.Context().Done()
				return true
			}
			return false
		}, "/a/0.ts", func(err error) bool {
			return errors.Is(err, ondemand.ErrTooSlow) || manifest.ReasonOf(err) == manifest.ReasonStalled
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFilm(t)
			e := onDemandEngine(t, f, func(c *Config) { c.WaitLimit = 1500 * time.Millisecond })
			f.set(tt.answer)
			w := watch(t, e, f.URL+"/a.m3u8")
			if _, err := read(t, w, f.URL+tt.key); err == nil || !tt.want(err) {
				t.Errorf("reading: %v", err)
			}
		})
	}
}

func statusOf(err error) int {
	var e *manifest.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// TestAGapIsToldAtOnce has a segment that the origin declares missing.
func TestAGapIsToldAtOnce(t *testing.T) {
	f := newFilm(t)
	f.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/a.m3u8" {
			return false
		}
		_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-GAP\n#EXTINF:4,\na/0.ts\n#EXT-X-ENDLIST\n")
		return true
	})
	e := onDemandEngine(t, f, nil)
	w, err := e.Watch(t.Context(), f.URL+"/a.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, _, err := w.Playlist(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Open(t.Context(), f.URL+"/a/0.ts"); !errors.Is(err, ondemand.ErrGap) {
		t.Errorf("opening a gap: %v", err)
	}
}

// TestBytesAreHandedOnAsTheyCome lets the origin stop in the middle until the
// player has what came before, and then break: the rest comes by another request.
func TestBytesAreHandedOnAsTheyCome(t *testing.T) {
	f := newFilm(t)
	half := make(chan struct{})
	var once sync.Once
	f.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/a/0.ts" || r.Header.Get("Range") != "" {
			return false
		}
		body := bytesOf(r.URL.Path)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		<-half
		panic(http.ErrAbortHandler)
	})
	e := onDemandEngine(t, f, nil)
	defer once.Do(func() { close(half) })
	w := watch(t, e, f.URL+"/a.m3u8")
	r, err := w.Open(t.Context(), f.URL+"/a/0.ts")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	want := bytesOf("/a/0.ts")
	if size, err := r.Size(); err != nil || size != int64(len(want)) || r.Held() {
		t.Errorf("size %d, held %v, %v", size, r.Held(), err)
	}
	var got bytes.Buffer
	if _, err := io.CopyN(&got, r, int64(len(want)/2)); err != nil {
		t.Fatal(err)
	}
	once.Do(func() { close(half) })
	if _, err := io.Copy(&got, r); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d of %d bytes, %v", got.Len(), len(want), err)
	}
	if c := e.Counters(); c.Discarded != 0 {
		t.Errorf("%d bytes were thrown away", c.Discarded)
	}
}

// TestAStoreThatIsTooSmall serves players all the same.
func TestAStoreThatIsTooSmall(t *testing.T) {
	f := newFilm(t)
	e := onDemandEngine(t, f, func(c *Config) { c.StoreBytes = 100 })
	w := watch(t, e, f.URL+"/a.m3u8")
	for n := range filmSegments {
		path := fmt.Sprintf("/a/%d.ts", n)
		if got, err := read(t, w, f.URL+path); err != nil || !bytes.Equal(got, bytesOf(path)) {
			t.Errorf("%s: %d bytes, %v", path, len(got), err)
		}
	}
	if st := e.Status().Store; st.Bytes > 100 {
		t.Errorf("store %+v", st)
	}
	for n := range filmSegments {
		// Once ahead of the player, and once when it asked.
		if c := f.count(fmt.Sprintf("/a/%d.ts", n)); c > 2 {
			t.Errorf("segment %d was fetched %d times", n, c)
		}
	}
}

func TestOnDemandIsForViewersThatAskForIt(t *testing.T) {
	f := newFilm(t)
	source, err := manifest.NewSource(manifest.SourceConfig{URL: f.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Role: RoleSeeder, OnDemand: true, Source: source}, nil, nil, slog.New(slog.DiscardHandler)); err == nil ||
		!strings.Contains(err.Error(), "config.onDemand") {
		t.Errorf("a seeder on demand: %v", err)
	}
	e, err := New(Config{Source: source, Limits: schedule.Limits{HTTPSlots: 1}}, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Watch(t.Context(), f.URL+"/a.m3u8"); !errors.Is(err, errNotOnDemand) {
		t.Errorf("watching an engine that plays: %v", err)
	}
	if _, err := e.Presentation(t.Context(), 0); !errors.Is(err, errNotOnDemand) {
		t.Errorf("asking it for its presentation: %v", err)
	}
}

// TestStopWhilePlayersWait ends the engine while the origin is silent.
func TestStopWhilePlayersWait(t *testing.T) {
	f := newFilm(t)
	asked := make(chan struct{}, 100)
	f.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, ".ts") {
			return false
		}
		asked <- struct{}{}
		<-r.Context().Done()
		return true
	})
	source, err := manifest.NewSource(manifest.SourceConfig{URL: f.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	e, err := New(Config{OnDemand: true, Source: source}, nil, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	w := watch(t, e, f.URL+"/a.m3u8")
	r, err := w.Open(context.Background(), f.URL+"/a/0.ts")
	if err != nil {
		t.Fatal(err)
	}
	<-asked
	cancel()
	if err := <-done; err != nil {
		t.Errorf("running: %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ondemand.ErrStopped) {
		t.Errorf("reading on: %v", err)
	}
	if _, err := e.Watch(context.Background(), f.URL+"/b.m3u8"); !errors.Is(err, ondemand.ErrStopped) {
		t.Errorf("watching on: %v", err)
	}
}

// TestAnOriginThatKnowsNoRanges breaks off in the middle and then answers the
// request for the rest with everything: the player that has nothing yet gets all.
func TestAnOriginThatKnowsNoRanges(t *testing.T) {
	f := newFilm(t)
	var broken sync.Once
	f.set(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/a/0.ts" {
			return false
		}
		body := bytesOf(r.URL.Path)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		broken.Do(func() {
			_, _ = w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		_, _ = w.Write(body)
		return true
	})
	e := onDemandEngine(t, f, nil)
	w := watch(t, e, f.URL+"/a.m3u8")
	until(t, "the segment to come as a whole", func() bool {
		got, err := read(t, w, f.URL+"/a/0.ts")
		if err != nil && !errors.Is(err, ondemand.ErrChanged) {
			t.Fatalf("reading: %v", err)
		}
		return err == nil && bytes.Equal(got, bytesOf("/a/0.ts"))
	})
}
