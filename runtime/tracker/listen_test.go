package tracker

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// TestInternalListener: with TLS for viewers, seeders inside the cluster connect without TLS, and both are introduced to each other.
func TestInternalListener(t *testing.T) {
	cert, key := writeCertificate(t, t.TempDir(), "tracker.example")
	s := running(t, Config{TLSCert: cert, TLSKey: key, InternalListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", SeederToken: "secret",
		Stream: &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8", ExternalURL: "https://tracker.example"}})
	inside := s.InternalAddr().String()
	if resp, err := http.Get("http://" + s.Addr().String() + "/v1/config"); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			t.Error("the public listener answers in the clear")
		}
	}
	_, body := get(t, "http://"+inside+"/v1/config")
	var c viewerapi.ViewerConfig
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		t.Fatal(err)
	}
	if c.Trackers[0] != "ws://"+inside+"/announce?t="+c.Telemetry.Session || c.Telemetry.URL != "http://"+inside+"/v1/telemetry" {
		t.Errorf("URLs for those inside: %v, %s", c.Trackers, c.Telemetry.URL)
	}
	ws, resp, err := websocket.DefaultDialer.Dial("ws://"+inside+"/announce", http.Header{"Authorization": {"Bearer secret"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	defer func() { _ = ws.Close() }()
	seeder := &client{t, ws}
	seeder.send(announce(hashOne, peerID(1), 0))
	seeder.expect(signaling.KindReply)
	if a := s.streams.only.Audience(); a.SeederSockets != 1 || a.ViewerSockets != 0 {
		t.Errorf("audience %+v", a)
	}
	_, body = get(t, "http://"+s.AdminAddr().String()+stats.AccumulatePath(telemetry.Kept{}))
	st, err := stats.Decode(strings.NewReader(body))
	if err != nil || st.Seeders != 1 || st.Peers != 1 {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestBindingIsAllOrNothing: if a port is taken, no other listener stays open.
func TestBindingIsAllOrNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for want, cfg := range map[string]Config{
		"listening for viewers":                    {Listen: taken.Addr().String()},
		"listening for clients inside the cluster": {Listen: "127.0.0.1:0", InternalListen: taken.Addr().String()},
		"listening for admin":                      {Listen: "127.0.0.1:0", InternalListen: "127.0.0.1:0", AdminListen: taken.Addr().String()},
	} {
		s, err := New(cfg, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one that says %q", err, want)
		}
		if s.addr != nil {
			l, err := net.Listen("tcp", s.addr.String())
			if err != nil {
				t.Fatalf("the port is still taken: %v", err)
			}
			_ = l.Close()
		}
	}
}

// run starts a tracker that the test itself ends; ended is closed when it has.
func run(t *testing.T, cfg Config) (s *Server, stop func(), ended chan struct{}) {
	t.Helper()
	s, err := New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Run(ctx); err != nil {
			t.Errorf("running: %v", err)
		}
	}()
	<-s.Ready()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return s, cancel, ended
}

// TestNothingToDrain: a tracker without sockets ends at once, even with a long drain period and with connections that
// carry nothing: those kept alive, and those without a request yet.
func TestNothingToDrain(t *testing.T) {
	s, stop, ended := run(t, Config{Listen: "127.0.0.1:0", InternalListen: "127.0.0.1:0", DrainPeriod: Duration(time.Minute)})
	kept := &http.Client{Transport: &http.Transport{}}
	defer kept.CloseIdleConnections()
	for _, addr := range []net.Addr{s.Addr(), s.InternalAddr()} {
		resp, err := kept.Get("http://" + addr.String() + "/nothing")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		silent, err := net.Dial("tcp", addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = silent.Close() }()
	}
	began := time.Now()
	stop()
	<-ended
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestDrainTellsSoAndAnswers: while sockets are closed one after the other, the tracker reports that it is not ready,
// refuses new sockets, and still answers requests.
func TestDrainTellsSoAndAnswers(t *testing.T) {
	s, stop, ended := run(t, Config{Listen: "127.0.0.1:0", InternalListen: "127.0.0.1:0", AdminListen: "127.0.0.1:0",
		DrainPeriod: Duration(3 * time.Second), Stream: &StreamConfig{SourceURL: "http://127.0.0.1:1/m.m3u8"}})
	admin := "http://" + s.AdminAddr().String()
	for _, addr := range []net.Addr{s.Addr(), s.InternalAddr(), s.Addr()} {
		ws, resp, err := websocket.DefaultDialer.Dial("ws://"+addr.String()+"/announce?t="+ticketOf(t, s), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		defer func() { _ = ws.Close() }()
		go func() { // answer the close frame, as clients do
			for {
				if _, _, err := ws.ReadMessage(); err != nil {
					return
				}
			}
		}()
	}
	if status, _ := get(t, admin+"/readyz"); status != http.StatusOK {
		t.Fatalf("ready: %d; the origin is away, which must not matter", status)
	}
	stop()
	eventually(t, "the drain to be told", func() bool {
		status, _ := get(t, admin+"/readyz")
		return status == http.StatusServiceUnavailable
	})
	if _, body := get(t, admin+stats.Path); !strings.Contains(body, `"draining":true`) {
		t.Errorf("stats: %s", body)
	}
	for _, addr := range []net.Addr{s.Addr(), s.InternalAddr()} {
		if status, _ := get(t, "http://"+addr.String()+"/v1/config"); status != http.StatusOK {
			t.Errorf("config while draining: %d", status)
		}
		_, resp, err := websocket.DefaultDialer.Dial("ws://"+addr.String()+"/announce?t="+ticketOf(t, s), nil)
		if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a new socket while draining: %v", err)
		}
		if resp != nil {
			_ = resp.Body.Close()
		}
	}
	<-ended
	if a := s.streams.only.Audience(); a.ViewerSockets != 0 {
		t.Errorf("%d sockets left", a.ViewerSockets)
	}
}

// TestTheManifestIsReadWithHeaders: only from the origin itself, and with new values as the files change.
func TestTheManifestIsReadWithHeaders(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]string{}
	note := func(who string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[who] = r.Header.Get("Authorization")
	}
	token := func(who string) string {
		mu.Lock()
		defer mu.Unlock()
		return seen[who]
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("other", r)
		http.NotFound(w, r)
	}))
	t.Cleanup(other.Close)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note("origin", r)
		if r.Header.Get("Authorization") == "old" {
			http.Error(w, "old token", http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, other.URL+"/m.m3u8", http.StatusFound)
	}))
	t.Cleanup(origin.Close)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Authorization"), []byte("old\n"))
	var logged buffer
	s := logging(t, Config{AdminListen: "127.0.0.1:0", Stream: &StreamConfig{SourceURL: origin.URL + "/m.m3u8", HeadersDir: dir}}, textLog(&logged))
	problem := func() string {
		_, body := get(t, "http://"+s.AdminAddr().String()+stats.Path)
		st, err := stats.Decode(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return st.SourceProblem
	}
	eventually(t, "the origin to refuse the old token", func() bool { return strings.Contains(problem(), "HTTP 401") })
	write(t, filepath.Join(dir, "Authorization"), []byte("new-secret\n"))
	eventually(t, "the other host to be asked", func() bool { return strings.Contains(problem(), "HTTP 404") })
	if token("origin") != "new-secret" || token("other") != "" {
		t.Errorf("the origin saw %q, the other host %q", token("origin"), token("other"))
	}
	if strings.Contains(logged.String(), "new-secret") || strings.Contains(problem(), "new-secret") {
		t.Errorf("a value was told: %s", logged.String())
	}
}
