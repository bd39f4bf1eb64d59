package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestPages(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "probe_total"}))
	var fault error
	h := New(Config{Registerer: reg, Ready: func(context.Context) error { return fault }}).Handler()
	if code, body := get(h, "/metrics"); code != http.StatusOK || !strings.Contains(body, "probe_total 0") {
		t.Errorf("/metrics: %d %s", code, body)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := get(h, path); code != http.StatusOK || body != "ok\n" {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	fault = errors.New("draining")
	if code, body := get(h, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "draining") {
		t.Errorf("/readyz while not ready: %d %q", code, body)
	}
	if code, _ := get(h, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz while not ready: %d", code)
	}
	if code, _ := get(h, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("pprof without being asked for: %d", code)
	}
	if code, _ := get(New(Config{Pprof: true}).Handler(), "/debug/pprof/"); code != http.StatusOK {
		t.Errorf("pprof: %d", code)
	}
}

func TestRunServesUntilItsContextEnds(t *testing.T) {
	for _, listen := range []string{"", "127.0.0.1:0"} {
		s := New(Config{Listen: listen})
		ctx, cancel := context.WithCancel(context.Background())
		if err := s.Listen(ctx); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx) }()
		if addr := s.Addr(); addr != nil {
			resp, err := http.Get("http://" + addr.String() + "/healthz")
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		} else if listen != "" {
			t.Error("no address")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := New(Config{Listen: "192.0.2.1:1"}).Listen(context.Background()); err == nil {
		t.Error("listens on an address that is in use")
	}
}
