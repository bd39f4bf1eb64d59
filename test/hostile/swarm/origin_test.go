package swarm

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/bystander"
	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/lab/stream"
)

// faulty is an origin that answers some requests wrongly, and passes the others on to an honest one.
type faulty struct {
	*httptest.Server
	honest *httputil.ReverseProxy
	fault  atomic.Pointer[fault]
	hit    atomic.Int64 // requests that the fault has answered
}

// fault is one way to answer.
type fault struct {
	name    string
	segment bool // of segments; otherwise of media playlists
	answer  func(w http.ResponseWriter, r *http.Request)
	slow    time.Duration // instead: what is right, with this pause behind each byte
	memory  int64         // MiB; default 64
	seen    int64         // how many requests have to get it; default 3
}

func newFaulty(t *testing.T, origin string) *faulty {
	u := lab.Must[*url.URL](t)(url.Parse(origin))
	f := &faulty{honest: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})}
	f.honest.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.fault.Store(nil)
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

// ServeHTTP answers according to the current fault.
func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	playlist := strings.HasSuffix(r.URL.Path, ".m3u8")
	if now := f.fault.Load(); now != nil && playlist != now.segment && !strings.Contains(r.URL.Path, "master") {
		f.hit.Add(1)
		if now.slow > 0 {
			f.slowly(w, r, now.slow)
			return
		}
		now.answer(w, r)
		return
	}
	f.honest.ServeHTTP(w, r)
}

// audience is the programs that take the stream from the faulty origin.
type audience struct {
	*faulty
	processes []*program.Process
	seeder    *program.Process
	url       string // of the proxy
}

// TestOriginWithFaultySegments and TestOriginWithFaultyPlaylists let the origin of a seeder, of a viewer and of the
// viewer's proxy answer in every wrong way, while other viewers of the same swarm have an honest one.
func TestOriginWithFaultySegments(t *testing.T) {
	t.Parallel()
	testOrigin(t, segmentFaults(), lastSegmentFaults())
}

func TestOriginWithFaultyPlaylists(t *testing.T) {
	t.Parallel()
	testOrigin(t, playlistFaults(), lastPlaylistFaults())
}

// testOrigin goes through faults that the programs must recover from, and then through last ones that they cannot recover
// from within the time of a test.
func testOrigin(t *testing.T, faults, last []fault) {
	const path = "/live/seg_1/window_20/ren_1/master.m3u8"
	s := stream.Start(t, stream.Options{Path: path})
	bystanders := bystander.Watch(t, s, 2)
	a := &audience{faulty: newFaulty(t, s.Source)}
	a.join(t, s, path)
	var playing sync.WaitGroup
	defer playing.Wait()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	defer stop()
	var played atomic.Int64
	playing.Go(func() { play(ctx, a.url, &played) })
	lab.Eventually(t, 30*time.Second, "the proxy to play", func() bool { return played.Load() > 3 })
	var costs []*bystander.Cost
	for _, p := range a.processes {
		costs = append(costs, bystander.Measure(t, p))
	}
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) { a.suffer(t, f) })
	}
	for _, c := range costs {
		c.Check(t, bystander.Bounds{Memory: 512 << 20, Log: 64 << 10, Rest: restOfPlaying})
	}
	before := played.Load()
	lab.Eventually(t, 60*time.Second, "the proxy to play on", func() bool { return played.Load() > before+3 })
	lab.Eventually(t, 60*time.Second, "the seeder to hold everything again", func() bool {
		return a.seeder.Metrics(t).Sum("p2pstream_seeder_segments_missing") <= 1
	})
	for _, f := range last {
		t.Run(f.name, func(t *testing.T) { a.suffer(t, f) })
	}
	bystanders.Unharmed(t)
}

func (a *audience) join(t *testing.T, s *stream.Stream, path string) {
	t.Helper()
	source := a.URL + path
	honest := s.Seeder
	s.StartSeeder(t, func(c *seeder.Config) { c.Source, c.CacheBytes = source, 32<<20 })
	a.seeder, s.Seeder = s.Seeder, honest
	admin := lab.FreeAddress(t)
	v := program.Start(t, program.Spec{Command: "viewer", Admin: admin, Config: viewer.Config{
		Source: source, NoP2P: true, Loopback: true, JoinInterval: duration.Duration(100 * time.Millisecond),
	}, Args: []string{"--headless", "--json", "--admin-listen", admin}})
	cfg := proxy.Config{
		Config:  client.Config{Source: source, Trackers: []string{s.WebSocket()}, SwarmID: lab.SwarmID, Loopback: true, StoreBytes: 32 << 20},
		Options: proxy.Options{Listen: lab.FreeAddress(t), AdminListen: lab.FreeAddress(t)},
	}
	p := program.Start(t, program.Spec{Command: "viewer", Admin: cfg.AdminListen, Config: cfg})
	a.url = "http://" + cfg.Listen
	a.processes = []*program.Process{a.seeder, v, p}
}

// logOfFault is what a fault may make one process log, in bytes.
const logOfFault = 8 << 10

// suffer lets the origin answer so until every program has had the chance to see it, and checks what it cost.
func (a *audience) suffer(t *testing.T, f fault) {
	if f.memory == 0 {
		f.memory = 64
	}
	if f.seen == 0 {
		f.seen = 3
	}
	held, logged := make([]int64, len(a.processes)), make([]int64, len(a.processes))
	peaks := make([]*program.Peak, len(a.processes))
	for i, p := range a.processes {
		peaks[i] = p.Peak(t)
		held[i], logged[i] = p.Usage(t).RSS, p.LogBytes()
	}
	a.hit.Store(0)
	a.fault.Store(&f)
	began := time.Now()
	lab.Eventually(t, 20*time.Second, "the fault to be seen", func() bool { return a.hit.Load() >= f.seen && time.Since(began) > 400*time.Millisecond })
	a.fault.Store(nil)
	for i, p := range a.processes {
		grown, said := peaks[i].Bytes(t)-held[i], p.LogBytes()-logged[i]
		t.Logf("%s: memory +%d KiB, %d bytes logged", p.Name, grown>>10, said)
		if grown > f.memory<<20 {
			t.Errorf("%s grew by %d MiB, %d are the most", p.Name, grown>>20, f.memory)
		}
		if said > logOfFault {
			text := p.LogText()
			t.Errorf("%s logged %d bytes, %d are the most:\n%s", p.Name, said, logOfFault, text[min(len(text), int(logged[i])):])
		}
	}
}

// raw answers with bytes that are no proper answer.
func raw(w http.ResponseWriter, head string, body io.Reader) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	write(conn, head, body)
}

// reset is raw with a connection that ends in a reset.
func reset(w http.ResponseWriter, head string, body io.Reader) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the connection ends in order
	}
	write(conn, head, body)
}

func write(conn net.Conn, head string, body io.Reader) {
	defer func() { _ = conn.Close() }() // that is how it ends
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	if _, err := io.WriteString(conn, head); err == nil && body != nil {
		_, _ = io.Copy(conn, body) // until the client has gone
	}
}

// endless is the same byte without end.
type endless byte

// Read implements io.Reader.
func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

// slowly answers as the honest origin does, byte by byte, until the request ends.
func (f *faulty) slowly(w http.ResponseWriter, r *http.Request, every time.Duration) {
	right := httptest.NewRecorder()
	f.honest.ServeHTTP(right, r)
	w.Header().Set("Content-Length", strconv.Itoa(right.Body.Len()))
	tick := time.NewTicker(every)
	defer tick.Stop()
	for _, b := range right.Body.Bytes() {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			if _, err := w.Write([]byte{b}); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
		}
	}
}

// play is a player of the proxy's: it reads playlists and what they name, and does not give up.
func play(ctx context.Context, url string, played *atomic.Int64) {
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	get := func(path string) string {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+path, nil)
		if err != nil {
			return ""
		}
		resp, err := client.Do(req)
		if err != nil {
			return ""
		}
		defer func() { _ = resp.Body.Close() }() // read to its end
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			return ""
		}
		return string(body)
	}
	last := func(text string) (name string) {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				name = line
			}
		}
		return name
	}
	var media, before string
	for ctx.Err() == nil {
		if media == "" {
			media = "/" + last(get("/master.m3u8"))
		}
		if name := last(get(media)); name != "" && name != before {
			if get(media[:strings.LastIndexByte(media, '/')+1]+name) != "" {
				played.Add(1)
				before = name
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// text answers with a playlist.
func text(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		_, _ = io.WriteString(w, body) // the client may have gone
	}
}

func redirect(to string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Location"] = []string{to}
		w.WriteHeader(http.StatusFound)
	}
}

func header(name, value string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\n%s: %s\r\n", name, value)
}
