package players

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/inprocess"
)

func TestMain(m *testing.M) {
	lab.Parallel(16) // most of them wait for live segments
	os.Exit(lab.Main(m))
}

// busy is held by a test that keeps the processor busy: films are fetched as fast as possible. Live streams, which are
// judged by time, go on beside it.
var busy sync.Mutex

// startFilm is startStream for a test that fetches a whole film, one at a time.
func startFilm(t *testing.T, path string) *stream {
	t.Helper()
	busy.Lock()
	t.Cleanup(busy.Unlock)
	return startStream(t, path)
}

// waitTime is how long to wait for what takes seconds, on a busy machine.
const waitTime = 60 * time.Second

// stream is one stream's programs, and a proxy to play it through.
type stream struct {
	*inprocess.Stream
	proxy      *proxy.Server
	url        string // the proxy's
	stopSeeder func()
	stopProxy  func()
}

// startStream starts everything for the stream at path; the seeder holds it when it returns.
func startStream(t *testing.T, path string) *stream {
	t.Helper()
	s := &stream{Stream: inprocess.NewStream(t, path)}
	sd, stop := s.StartSeeder(t, nil)
	s.stopSeeder = stop
	s.AwaitSeeded(t)
	lab.Eventually(t, waitTime, "the seeder to hold all of it", inprocess.HoldsWindow(sd))
	s.proxy = lab.Must[*proxy.Server](t)(proxy.New(proxy.Config{
		// What these tests ask is whose bytes players get, not how soon they come: the machine is busy with others meanwhile.
		Config:  client.Config{ConfigURL: s.HTTP("/v1/config"), Loopback: true, StartupWait: duration.Duration(5 * time.Second)},
		Options: proxy.Options{Listen: "127.0.0.1:0"},
	}, lab.Logger("proxy"), nil))
	s.stopProxy = inprocess.Run(t, s.proxy)
	s.url = s.proxy.URL()
	lab.Eventually(t, waitTime, "the proxy to have met the seeder", func() bool { e := s.proxy.Engine(); return e != nil && e.Peers() > 0 })
	return s
}

// get asks for a URL with headers, "Name: value".
func get(t *testing.T, url string, headers ...string) (status int, body []byte) {
	t.Helper()
	req := lab.Must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp := lab.Must[*http.Response](t)(http.DefaultClient.Do(req))
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, lab.Must[[]byte](t)(io.ReadAll(resp.Body))
}

// run runs a player and returns what it printed. Any message of the program fails the test, and so does a program that is
// not installed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing; run scripts/install-deps.sh: %v", name, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

// ffmpeg plays with one thread, so that many of them can.
func ffmpeg(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "ffmpeg", append([]string{"-v", "error", "-nostdin", "-threads", "1"}, args...)...)
}

// gstreamer plays a URL at its pace until it ends.
func gstreamer(t *testing.T, url string) {
	t.Helper()
	run(t, "gst-launch-1.0", "-q", "playbin", "uri="+url, "video-sink=fakesink sync=true", "audio-sink=fakesink sync=true")
}

// report logs what the proxy received and returns it.
func (s *stream) report(t *testing.T) (http, seeder int64, offload float64) {
	t.Helper()
	r := s.proxy.Snapshot()
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", line)
	return r.Total.Bytes.HTTP, r.Total.Bytes.Seeder, r.Total.Offload
}
