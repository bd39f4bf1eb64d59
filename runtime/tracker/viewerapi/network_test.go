package viewerapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/dashboard"
)

func networkOf(t *testing.T, guarded bool, burst int) *Network {
	t.Helper()
	n, err := NewNetwork(NetworkConfig{Network: dashboard.NewNetwork(dashboard.OfTracker, time.Now()), RequestsPerSecond: 1, RequestBurst: burst,
		Seeder: func(token string) bool { return token == "secret" }, Guarded: func() bool { return guarded }}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// visit sends a request with headers, as rig.do does.
func visit(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestWhoSeesAllStreams: the tracker's own page and seeders, and with viewer tokens seeders alone.
func TestWhoSeesAllStreams(t *testing.T) {
	for _, c := range []struct {
		name    string
		guarded bool
		header  []string
		want    int
	}{
		{"own page", false, own, 200},
		{"curl", false, []string{"Host", "127.0.0.1:8000"}, 200},
		{"a foreign page", false, []string{"Host", "localhost:8000", "Origin", "https://page.test"}, 403},
		{"a name that was made to lead here", false, []string{"Host", "evil.test", "Origin", "http://evil.test"}, 403},
		{"seeder", false, []string{"Host", "evil.test", "Authorization", "Bearer secret"}, 200},
		{"own page of guarded streams", true, own, 401},
		{"wrong token", true, append([]string{"Authorization", "Bearer guess"}, own...), 401},
		{"seeder of guarded streams", true, append([]string{"Authorization", "Bearer secret"}, own...), 200},
	} {
		n := networkOf(t, c.guarded, 1000)
		for _, path := range []string{HistoryPath, HistoryCSVPath} {
			w := visit(n.Public(), "POST", path, c.header...)
			if w.Code != c.want || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %s: %d %s", c.name, path, w.Code, w.Body)
			}
			if c.want == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: no WWW-Authenticate", c.name)
			}
			if w := visit(n.Operator(), "GET", path, "Host", "evil.test"); w.Code != 200 {
				t.Errorf("%s: %s for operators: %d", c.name, path, w.Code)
			}
		}
		for _, h := range []http.Handler{n.Public(), n.Operator()} {
			w := visit(h, "GET", "/dashboard")
			if w.Code != 200 || !strings.Contains(w.Body.String(), `data-page="network"`) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "connect-src 'self'") {
				t.Errorf("%s: page: %d", c.name, w.Code)
			}
			if w := visit(h, "GET", "/dashboard/dashboard.css"); w.Code != 200 {
				t.Errorf("%s: style: %d", c.name, w.Code)
			}
		}
	}
}

// TestAllStreamsAreAskedForSeldom: one address cannot keep the tracker busy, and hostile queries are answered.
func TestAllStreamsAreAskedForSeldom(t *testing.T) {
	n := networkOf(t, false, 500)
	public := n.Public()
	for query, want := range map[string]int{"?points=0": 400, "?from=x": 400, "?match=" + strings.Repeat("%ff", 2000): 200, "?from=-1h&to=-2h": 400} {
		if w := visit(public, "POST", HistoryPath+query, own...); w.Code != want || w.Body.Len() > 1<<20 {
			t.Errorf("%.40s: %d", query, w.Code)
		}
	}
	if w := visit(public, "DELETE", HistoryPath, own...); w.Code != 405 {
		t.Errorf("DELETE: %d", w.Code)
	}
	accepted := 0
	for range 50 {
		w := visit(public, "POST", HistoryPath, own...)
		switch {
		case w.Code == 200:
			accepted++
		case w.Code != 429 || w.Header().Get("Retry-After") == "":
			t.Fatal(w.Code, w.Body)
		}
	}
	if accepted > 8 {
		t.Errorf("%d requests at once", accepted)
	}
}
