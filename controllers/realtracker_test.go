package controllers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker"
)

// TestRealTracker reads the stats of a real tracker, which reads a real playlist, takes a real report, and lets those keep totals whose
// token the operator's own ConfigMap names.
func TestRealTracker(t *testing.T) {
	t.Parallel()
	operators := filepath.Join(t.TempDir(), plan.FileOperators)
	mounted := func(text string) {
		if err := os.WriteFile(operators, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mounted(`["sha256:` + strings.Repeat("0", 64) + `"]`)    // the token of another operator
	server, source := filmTracker(t, time.Minute, operators) // so that it does not know its viewers for three
	w := newWorld(t)
	w.nodes.answerBy(server.AdminAddr().String())
	w.nodes.become(plan.ComponentSeeder, func(p *corev1.Pod) { p.Status.Conditions = nil })
	w.operator()
	w.stream("film", func(s *v1.P2PStreamSpec) { s.Source.URL = v1.URL(source) })
	var config corev1.ConfigMap
	if !w.eventually(func() bool {
		return w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "film-tracker"}, &config) == nil
	}) {
		t.Fatal("there is no ConfigMap")
	}
	mounted(config.Data[plan.FileOperators])
	s := w.until("film", "read", func(s *v1.P2PStream) bool { return has("Peerable=True/Shareable")(s) && len(s.Status.Renditions) == 1 })
	hashes := s.Status.Renditions[0].InfoHashes
	if len(hashes["v2.3"]) != 20 || len(hashes["v2.2"]) != 20 {
		t.Errorf("info hashes %q", hashes)
	}
	if swarm := s.Status.Swarm; !has("TelemetryFresh=Unknown/Pending")(s) || swarm == nil || swarm.Viewers != nil || swarm.Seeders == nil || *swarm.Seeders != 0 {
		t.Errorf("a tracker that has just started knows that no seeder is ready and none there, and no more: %s", text(t, s.Status))
	}
	w.nodes.become(plan.ComponentSeeder, nil)
	w.until("film", "without knowledge of seeders that are ready and have not come", func(s *v1.P2PStream) bool {
		return has("TelemetryFresh=Unknown/Pending")(s) && s.Status.Swarm == nil
	})

	report(t, "http://"+server.Addr().String(), telemetry.Counters{HTTP: 1_000_000, Viewer: 9_000_000})
	s = w.until("film", "told of bytes", func(s *v1.P2PStream) bool { return s.Status.Offload != nil && s.Status.Offload.Totals.PeerBytes > 0 })
	if totals := s.Status.Offload.Totals; totals.OriginBytes != 1_000_000 || totals.PeerBytes != 9_000_000 || len(s.Status.Offload.Runs) != 1 {
		t.Errorf("%+v", s.Status.Offload)
	}
}

// filmTracker is a real tracker of a film, whose URL it returns too.
func filmTracker(t *testing.T, interval time.Duration, operators string) (server *tracker.Server, source string) {
	t.Helper()
	playlist := "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n"
	for i := range 30 {
		playlist += fmt.Sprintf("#EXTINF:4.0,\nseg%d.ts\n", i)
	}
	playlist += "#EXT-X-ENDLIST\n"
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, playlist)
	}))
	t.Cleanup(origin.Close)
	source = origin.URL + "/film.m3u8"

	server, err := tracker.New(tracker.Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", OperatorsFile: operators, Stream: &tracker.StreamConfig{
		SourceURL: source, TelemetryInterval: tracker.Duration(interval),
	}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("tracker: %v", err)
		}
	})
	select {
	case <-server.Ready():
	case err := <-done:
		done <- err
		t.Fatal(err)
	}
	return server, source
}

// watch opens the socket of a page, and returns the session that the tracker handed out and the socket.
func watch(t *testing.T, url string) (session string, ws *websocket.Conn) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/config", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", url)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var config struct {
		Trackers  []string `json:"trackers"`
		Telemetry struct {
			Session string `json:"session"`
		} `json:"telemetry"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&config); err != nil {
		t.Fatal(err)
	}
	// Only viewers with a socket are counted.
	ws, upgrade, err := websocket.DefaultDialer.Dial(config.Trackers[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = upgrade.Body.Close()
	t.Cleanup(func() { _ = ws.Close() })
	return config.Telemetry.Session, ws
}

// report sends one as a page of ours does: under the session that the tracker hands out.
func report(t *testing.T, url string, counted telemetry.Counters) {
	t.Helper()
	session, _ := watch(t, url)
	body, err := json.Marshal(telemetry.Report{Version: telemetry.ReportVersion, Session: session, Sequence: 1, Role: telemetry.RoleViewer, Counters: counted})
	if err != nil {
		t.Fatal(err)
	}
	// The tracker counts a socket just after the client learns that it is open.
	for begun := time.Now(); ; {
		answer, err := http.Post(url+"/v1/telemetry", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		switch {
		case answer.StatusCode == http.StatusOK:
			return
		case answer.StatusCode != http.StatusConflict || time.Since(begun) > 10*time.Second:
			t.Fatalf("report under session %q: status %d", session, answer.StatusCode)
		}
	}
}

// answerBy has all tracker pods answer at one address.
func (n *nodes) answerBy(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = address
}
