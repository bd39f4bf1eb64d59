package seeder_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/freeport"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

func TestMain(m *testing.M) {
	code := m.Run()
	http.DefaultClient.CloseIdleConnections() // shared by all tests
	if err := goleak.Find(); code == 0 && err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "goroutines left behind: %v\n", err)
		code = 1
	}
	os.Exit(code)
}

const (
	token    = "life-test-token"
	patience = time.Minute // a busy machine is slow
)

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s for %s", patience, what)
		case <-tick.C:
		}
	}
}

// program is started and stopped; ended says with what.
type program struct {
	stop  func()
	ended chan error
}

func start(t *testing.T, run func(context.Context) error) program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := program{cancel, make(chan error, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.ended <- run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return p
}

// ends stops a program and returns how long it takes to end.
func (p program) ends(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	p.stop()
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(patience):
		t.Fatal("does not end")
	}
	return time.Since(began)
}

func freePort(t *testing.T) string {
	t.Helper()
	address, err := freeport.On("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func startTracker(t *testing.T, listen, source string) program {
	t.Helper()
	s, err := tracker.New(tracker.Config{Listen: listen, SeederToken: token, DrainPeriod: tracker.Duration(time.Millisecond),
		Stream: &tracker.StreamConfig{SourceURL: source, SwarmID: "life"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, s.Run)
	select {
	case <-s.Ready():
	case err := <-p.ended:
		t.Fatal(err)
	}
	return p
}

// originAt serves every stream of the demo origin through a handler of the test.
func originAt(t *testing.T, wrap func(http.Handler) http.Handler) *httptest.Server {
	t.Helper()
	o, err := origin.New(origin.Config{}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := o.Handler()
	if wrap != nil {
		h = wrap(h)
	}
	s := httptest.NewUnstartedServer(h)
	t.Cleanup(s.Close)
	return s
}

func config(source, tracker string) seeder.Config {
	return seeder.Config{Source: source, SwarmID: "life", Trackers: []string{"ws://" + tracker + "/announce"}, Token: token,
		ICEListen: "127.0.0.1:0", Loopback: true, AdminListen: "127.0.0.1:0", Drain: duration.Duration(time.Minute)}
}

func startSeeder(t *testing.T, cfg seeder.Config) (*seeder.Server, program) {
	t.Helper()
	s, err := seeder.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, start(t, s.Run)
}

// page asks an admin listener; "" while there is none.
func page(t *testing.T, s *seeder.Server, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + s.Addr().String() + path)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return ""
	}
	return fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(string(body)))
}

const nowhere = "http://127.0.0.1:1/live/master.m3u8"

// TestReadyDependsOnTheTracker: the origin is unreachable all the time.
func TestReadyDependsOnTheTracker(t *testing.T) {
	address := freePort(t)
	s, p := startSeeder(t, config(nowhere, address))
	<-s.Ready()
	if got := page(t, s, "/readyz"); got != "503 no tracker has accepted this seeder yet" {
		t.Errorf("without a tracker: %q", got)
	}
	if got := page(t, s, "/healthz"); got != "200 ok" {
		t.Errorf("healthz: %q", got)
	}
	tr := startTracker(t, address, nowhere)
	eventually(t, "the tracker to accept the seeder", func() bool { return page(t, s, "/readyz") == "200 ok" })
	tr.ends(t)
	if got := page(t, s, "/readyz"); got != "200 ok" {
		t.Errorf("with the tracker away again: %q", got)
	}
	if took := p.ends(t); took > 3*time.Second {
		t.Errorf("took %v to end without a connected peer", took)
	}
}

// TestForeignTrackersLearnNoToken: the seeder announces to them, and they neither get the token nor make it ready.
func TestForeignTrackersLearnNoToken(t *testing.T) {
	authorized := make(chan string, 16)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case authorized <- r.Header.Get("Authorization"):
		default: // the seeder asks repeatedly
		}
		if r.Method != http.MethodGet || r.URL.RawQuery != "" {
			t.Errorf("a foreign tracker is asked %s %s", r.Method, r.URL)
		}
		if conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil); err == nil {
			defer func() { _ = conn.Close() }()
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
		}
	}))
	t.Cleanup(foreign.Close)
	o := originAt(t, nil)
	o.Start()
	source := o.URL + "/vod/dur_8/master.m3u8"
	address := freePort(t)
	cfg := config(source, address)
	cfg.ForeignTrackers = []string{"ws" + strings.TrimPrefix(foreign.URL, "http")}
	s, p := startSeeder(t, cfg)
	select {
	case got := <-authorized:
		if got != "" {
			t.Errorf("a foreign tracker is told %q", got)
		}
	case <-time.After(patience):
		t.Fatal("no request came to the foreign tracker")
	}
	if got := page(t, s, "/readyz"); !strings.HasPrefix(got, "503 ") {
		t.Errorf("without the tracker of its own: %q", got)
	}
	startTracker(t, address, source)
	eventually(t, "its own tracker to accept the token", func() bool { return page(t, s, "/readyz") == "200 ok" })
	p.ends(t)
}

// TestAWrongTokenIsNotReady until its file is corrected, without a restart.
func TestAWrongTokenIsNotReady(t *testing.T) {
	address := freePort(t)
	startTracker(t, address, nowhere)
	cfg := config(nowhere, address)
	cfg.Token, cfg.TokenFile = "", filepath.Join(t.TempDir(), "token")
	write(t, cfg.TokenFile, "wrong")
	s, _ := startSeeder(t, cfg)
	<-s.Ready()
	eventually(t, "the tracker to refuse", func() bool {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/v1/stats", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return strings.Contains(string(body), `"Unauthorized":`)
	})
	if got := page(t, s, "/readyz"); !strings.HasPrefix(got, "503 ") {
		t.Errorf("with a wrong token: %q", got)
	}
	write(t, cfg.TokenFile, token)
	eventually(t, "the right token to be accepted", func() bool { return page(t, s, "/readyz") == "200 ok" })
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTheListedPortIsBound: exactly that one; when another one is listed, the seeder stops to restart with it.
func TestTheListedPortIsBound(t *testing.T) {
	address := freePort(t)
	startTracker(t, address, nowhere)
	cfg := config(nowhere, address)
	cfg.ICEPortsFile, cfg.Ordinal = filepath.Join(t.TempDir(), "ice-ports.json"), 1
	write(t, cfg.ICEPortsFile, "[30001]")
	s, p := startSeeder(t, cfg)
	eventually(t, "the admin listener", func() bool { return s.Addr() != nil })
	eventually(t, "the probes to say what is waited for", func() bool {
		return strings.HasPrefix(page(t, s, "/readyz"), "503 waiting for the UDP port of ordinal 1")
	})
	if got := page(t, s, "/healthz"); got != "200 ok" {
		t.Errorf("healthz while waiting: %q", got)
	}
	if got := page(t, s, "/metrics"); !strings.HasPrefix(got, "200") {
		t.Errorf("metrics while waiting: %q", got)
	}
	udp := freePort(t)
	_, port, _ := net.SplitHostPort(udp)
	write(t, cfg.ICEPortsFile, "[30001,"+port+"]")
	<-s.Ready()
	if taken, err := net.ListenPacket("udp", udp); err == nil {
		_ = taken.Close()
		t.Errorf("nothing listens on %s", udp)
	}
	eventually(t, "the tracker to accept the seeder", func() bool { return page(t, s, "/readyz") == "200 ok" })
	write(t, cfg.ICEPortsFile, "[30001,30002]")
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
		p.ended <- nil
	case <-time.After(patience):
		t.Error("continues with a port that is no longer its own")
	}
}

func TestStoppedWhileWaitingForAPort(t *testing.T) {
	cfg := config(nowhere, "127.0.0.1:1")
	cfg.ICEPortsFile = filepath.Join(t.TempDir(), "ice-ports.json")
	s, p := startSeeder(t, cfg)
	eventually(t, "the admin listener", func() bool { return s.Addr() != nil })
	if took := p.ends(t); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// startViewer plays a stream. It asks the seeder only: however slow that is, it does not turn to the origin.
func startViewer(t *testing.T, tracker string) *viewer.Server {
	t.Helper()
	v, err := viewer.New(viewer.Config{
		ConfigURL: "http://" + tracker + "/v1/config", Loopback: true, StartupWait: duration.Duration(time.Hour),
	}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	start(t, v.Run)
	<-v.Ready()
	return v
}

// TestDrain: no viewer, a viewer that downloads nothing, and one that downloads more than there is time for.
func TestDrain(t *testing.T) {
	o := originAt(t, nil)
	o.Start()
	for name, tt := range map[string]struct {
		path     string
		viewers  int
		uplink   int64
		drain    time.Duration
		uploads  bool
		from, to time.Duration
	}{
		"no viewer":         {"/live/seg_1/window_8/master.m3u8", 0, 0, time.Minute, false, 0, 2 * time.Second},
		"nothing is taken":  {"/vod/seg_1/dur_8/master.m3u8", 1, 0, time.Minute, false, 0, 4 * time.Second},
		"more than is time": {"/vod/seg_4/dur_40/master.m3u8", 1, 100_000, 2 * time.Second, true, 1900 * time.Millisecond, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			address := freePort(t)
			startTracker(t, address, o.URL+tt.path)
			cfg := config(o.URL+tt.path, address)
			cfg.UplinkBps, cfg.Drain = tt.uplink, duration.Duration(tt.drain)
			s, p := startSeeder(t, cfg)
			<-s.Ready()
			eventually(t, "the seeder to hold the stream", func() bool {
				status := s.Engine().Status()
				for _, r := range status.Renditions {
					if r.Known == 0 || r.Held < r.Known {
						return false
					}
				}
				return len(status.Renditions) > 0
			})
			for range tt.viewers {
				v := startViewer(t, address)
				eventually(t, "the viewer to meet the seeder", func() bool { return s.Engine().Peers() > 0 })
				if tt.uploads {
					eventually(t, "an upload", func() bool { return s.Engine().Counters().Uploaded > 0 })
				} else {
					eventually(t, "the viewer to have all", func() bool { return v.Snapshot().Viewers[0].Segments >= 8 })
				}
			}
			if took := p.ends(t); took < tt.from || took > tt.to {
				t.Errorf("took %v, want %v to %v", took, tt.from, tt.to)
			}
		})
	}
}

// TestAnOriginOfOurOwn has certificates of an authority of its own, and wants a header with each request.
func TestAnOriginOfOurOwn(t *testing.T) {
	var refused atomic.Int64
	o := originAt(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer origin-secret" {
				refused.Add(1)
				http.Error(w, "who are you?", http.StatusUnauthorized)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	o.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // handshakes fail on purpose
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	o.StartTLS()
	dir := t.TempDir()
	headers, ca := filepath.Join(dir, "headers"), filepath.Join(dir, "ca.crt")
	if err := os.Mkdir(headers, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := config(o.URL+"/live/seg_1/window_8/fmp4/master.m3u8", freePort(t))
	cfg.HeadersDir, cfg.CAFile = headers, ca
	s, _ := startSeeder(t, cfg)
	<-s.Ready()
	trouble := func(want string) func() bool {
		return func() bool { return strings.Contains(s.Engine().Status().Error, want) }
	}
	eventually(t, "the missing authority to be told", trouble("UnusableFiles"))
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.Certificate().Raw})))
	eventually(t, "the origin to refuse", trouble("HTTP 401"))
	write(t, filepath.Join(headers, "Authorization"), "Bearer origin-secret\n")
	eventually(t, "segments to be held", func() bool {
		status := s.Engine().Status()
		return len(status.Renditions) > 0 && status.Renditions[0].Held > 0
	})
	before := refused.Load()
	if before == 0 {
		t.Error("the origin never refused")
	}
	if status := s.Engine().Status(); status.Error != "" || strings.Contains(fmt.Sprint(status), "origin-secret") {
		t.Errorf("status %+v", status)
	}
}
