package overview

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/types"
	certutil "k8s.io/client-go/util/cert"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// cluster answers reviews. Tokens are "may" and "may-not", or of no user.
type cluster struct {
	client.Client
	mu               sync.Mutex
	down             bool
	tokens, accesses int
	path, verb       string
}

func (c *cluster) Create(_ context.Context, o client.Object, _ ...client.CreateOption) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return errors.New("down")
	}
	switch o := o.(type) {
	case *authenticationv1.TokenReview:
		c.tokens++
		o.Status.Authenticated = strings.HasPrefix(o.Spec.Token, "may")
		o.Status.User = authenticationv1.UserInfo{Username: o.Spec.Token, Groups: []string{"people"}, Extra: map[string]authenticationv1.ExtraValue{"scope": {"x"}}}
	case *authorizationv1.SubjectAccessReview:
		c.accesses++
		c.path, c.verb = o.Spec.NonResourceAttributes.Path, o.Spec.NonResourceAttributes.Verb
		o.Status.Allowed = o.Spec.User == "may" && len(o.Spec.Groups) == 1 && len(o.Spec.Extra["scope"]) == 1
	default:
		return fmt.Errorf("%T", o)
	}
	return nil
}

// scene is a dashboard with a clock that stands still.
type scene struct {
	t       *testing.T
	cluster *cluster
	board   *Board
	handler http.Handler
	mu      sync.Mutex
	now     time.Time
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, cluster: &cluster{}, now: time.Date(2026, 1, 2, 8, 0, 0, 0, time.UTC)}
	s.board = NewBoard(s.clock)
	s.board.leads.Store(true)
	s.handler = NewServer(ServerConfig{Board: s.board, API: s.cluster, Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler)}).Handler()
	return s
}

func (s *scene) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *scene) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func (s *scene) get(path, token string) *httptest.ResponseRecorder {
	return s.getFrom("192.0.2.1", path, token)
}

func (s *scene) getFrom(address, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr = address + ":1234"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *scene) overview() (out dashboard.Overview) {
	s.t.Helper()
	w := s.get(dashboard.HistoryPath, "may")
	told := struct{ Now *dashboard.Overview }{&out}
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil || w.Code != http.StatusOK {
		s.t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	return out
}

// TestWhoSeesTheDashboard: the page has no figures and is for all; these are for who has a token and a role.
func TestWhoSeesTheDashboard(t *testing.T) {
	s := newScene(t)
	for _, path := range []string{"/dashboard", "/dashboard/dashboard.js", "/dashboard/dashboard.css"} {
		if w := s.get(path, ""); w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := s.get("/", ""); w.Code != http.StatusFound || w.Header().Get("Location") != "/dashboard" {
		t.Errorf("/: %d %s", w.Code, w.Header().Get("Location"))
	}
	for _, path := range []string{dashboard.HistoryPath, dashboard.HistoryCSVPath} {
		for token, want := range map[string]int{"": 401, "guess": 401, "may-not": 403, "may": 200, strings.Repeat("x", maxTokenBytes+1): 401} {
			w := s.get(path, token)
			if w.Code != want || want == 401 && w.Header().Get("WWW-Authenticate") != "Bearer" || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s with %.10q: %d %s", path, token, w.Code, w.Body)
			}
		}
		if s.cluster.verb != "get" || s.cluster.path != path {
			t.Errorf("asked for %s %s", s.cluster.verb, s.cluster.path)
		}
	}
	if w := s.get("/metrics", "may"); w.Code != http.StatusNotFound {
		t.Errorf("/metrics: %d", w.Code)
	}
	s.board.leads.Store(false)
	if w := s.get(dashboard.HistoryPath, "may"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "another replica") {
		t.Errorf("a replica that waits: %d %s", w.Code, w.Body)
	}
}

// TestTheClusterIsAskedSeldom: verdicts are kept for a while and not for ever, and unknown tokens are limited and take little memory.
func TestTheClusterIsAskedSeldom(t *testing.T) {
	s := newScene(t)
	for range 100 {
		s.get(dashboard.HistoryPath, "may")
		s.get(dashboard.HistoryPath, "guess")
	}
	if s.cluster.tokens != 2 || s.cluster.accesses != 1 {
		t.Errorf("%d and %d questions", s.cluster.tokens, s.cluster.accesses)
	}
	s.pass(keepAllowed)
	if s.get(dashboard.HistoryPath, "may"); s.cluster.tokens != 3 {
		t.Errorf("%d questions a minute later", s.cluster.tokens)
	}
	limited := 0
	for i := range 200 {
		if s.get(dashboard.HistoryPath, fmt.Sprint("guess", i)).Code == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited < 100 || s.get(dashboard.HistoryPath, "may").Code != http.StatusOK {
		t.Errorf("%d of 200 guesses are limited", limited)
	}
	g := newGuard(s.cluster, s.board.now, func(string) {}, func(error) {})
	for i := range 3 * verdicts {
		for _, v := range []verdict{allowed, {status: http.StatusForbidden}} {
			g.keep(question{path: fmt.Sprint(i, v.status)}, v, s.clock())
		}
		if len(g.allowed) > verdicts || len(g.refused) > verdicts {
			t.Fatalf("%d and %d verdicts are kept", len(g.allowed), len(g.refused))
		}
	}
}

// TestAFloodOfTokensKeepsNoOneOut: each client that reaches the port can send tokens that are none, from one address or from many.
func TestAFloodOfTokensKeepsNoOneOut(t *testing.T) {
	s := newScene(t)
	if w := s.get(dashboard.HistoryPath, "may"); w.Code != http.StatusOK {
		t.Fatalf("%d", w.Code)
	}
	for i := range 1000 {
		s.getFrom("192.0.2.66", dashboard.HistoryPath, fmt.Sprint("one", i))
	}
	if w := s.get(dashboard.HistoryCSVPath, "may"); w.Code != http.StatusOK {
		t.Errorf("a flood from one address keeps a person out who comes: %d", w.Code)
	}
	for i := range 2 * keepAllowed / time.Second { // no second of it leaves room for one more question
		s.pass(time.Second)
		for j := range 2 * reviewsASecond {
			s.getFrom(fmt.Sprintf("198.51.100.%d", j), dashboard.HistoryPath, fmt.Sprint("many", i, j))
		}
		if w := s.get(dashboard.HistoryPath, "may"); w.Code != http.StatusOK {
			t.Fatalf("a flood from many addresses keeps a person out who was there, after %d s: %d", i, w.Code)
		}
	}
	asked := s.cluster.tokens
	s.pass(regularFor + keepAllowed)
	for j := range 2 * reviewsAtOnce {
		s.getFrom(fmt.Sprintf("198.51.100.%d", j), dashboard.HistoryPath, fmt.Sprint("later", j))
	}
	if s.cluster.tokens-asked > reviewsAtOnce {
		t.Errorf("%d questions at once", s.cluster.tokens-asked)
	}
	if w := s.get(dashboard.HistoryPath, "may"); w.Code != http.StatusTooManyRequests {
		t.Errorf("who was not there for long has a place before others: %d", w.Code)
	}
}

// TestTheClusterIsDown: nothing is shown, and nothing of it is kept.
func TestTheClusterIsDown(t *testing.T) {
	s := newScene(t)
	s.cluster.down = true
	if w := s.get(dashboard.HistoryPath, "may"); w.Code != http.StatusBadGateway {
		t.Errorf("%d", w.Code)
	}
	s.cluster.down = false
	if w := s.get(dashboard.HistoryPath, "may"); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}

// TestTheBoard: streams come, are silent, and go.
func TestTheBoard(t *testing.T) {
	s := newScene(t)
	one, two := types.NamespacedName{Namespace: "media", Name: "one"}, types.NamespacedName{Namespace: "media", Name: "two"}
	told := &stats.Stats{Boot: "a", Viewers: 7, Reporting: 7}
	s.board.Hear(one, s.clock(), told)
	s.board.Hear(two, s.clock(), nil)
	s.board.sample()
	if o := s.overview(); o.Of != dashboard.OfCluster || o.Streams != 2 || o.Unknown != 1 || o.Viewers != 7 || o.List[0].Name != "one" {
		t.Errorf("%+v", o)
	}
	s.pass(staleAfter + time.Second)
	s.board.sample()
	if o := s.overview(); o.Unknown != 2 || o.Viewers != 0 {
		t.Errorf("silent: %+v", o)
	}
	s.board.Hear(one, s.clock(), told)
	s.board.Forget(two)
	s.pass(time.Second)
	s.board.sample()
	if o := s.overview(); o.Streams != 1 || o.Unknown != 0 || o.Viewers != 7 {
		t.Errorf("%+v", o)
	}
	s.board.Reset()
	s.board.sample()
	if o := s.overview(); o.Streams != 0 {
		t.Errorf("%+v", o)
	}
}

// TestServe: over HTTPS with the certificate of a folder, until the context ends.
func TestServe(t *testing.T) {
	s := newScene(t)
	dir := t.TempDir()
	cert, key, err := certutil.GenerateSelfSignedCertKey("dashboard.test", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"tls.crt": cert, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"", dir} {
		server := NewServer(ServerConfig{Listen: "127.0.0.1:0", CertDir: folder, Board: s.board, API: s.cluster,
			Metrics: NewMetrics(prometheus.NewRegistry()), Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- server.Start(ctx) }()
		c, err := tls.Dial("tcp", server.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		names := c.ConnectionState().PeerCertificates[0].DNSNames
		_ = c.Close()
		if want := map[string]string{"": "localhost", dir: "dashboard.test"}[folder]; len(names) == 0 || names[0] != want {
			t.Errorf("certificate of %v, want %s", names, want)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := NewServer(ServerConfig{Listen: "127.0.0.1:0", CertDir: t.TempDir(), Board: s.board}).Start(t.Context()); err == nil {
		t.Error("it serves without a certificate")
	}
}

// TestStart: it samples by itself, and leads as long as it runs.
func TestStart(t *testing.T) {
	b := NewBoard(nil)
	b.Hear(types.NamespacedName{Namespace: "media", Name: "one"}, time.Now(), &stats.Stats{Viewers: 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Start(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); b.network.Past.Last().IsZero(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no sample")
		}
	}
	if !b.leads.Load() {
		t.Error("it does not lead")
	}
	cancel()
	if err := <-done; err != nil || b.leads.Load() {
		t.Error(err, b.leads.Load())
	}
}
