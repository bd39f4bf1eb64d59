package viewerapi

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/web"
)

// told is what HistoryPath answers.
type told struct {
	Version int             `json:"v"`
	Now     stats.Dashboard `json:"now"`
	Past    struct {
		From, To    int64
		StepSeconds float64
		Time        []int64
		Viewers     []*float64
		HTTP        []*float64
		Seeder      []*float64
		Stalls      []*float64
		Startup     []*float64 `json:"startupP95Ms"`
	} `json:"history"`
}

// own are the headers of the tracker's own page.
var own = []string{"Host", "localhost:8000", "Origin", "http://localhost:8000"}

func (r *rig) past(query string) told {
	r.t.Helper()
	w := httptest.NewRecorder()
	r.Operator().ServeHTTP(w, httptest.NewRequest(http.MethodGet, HistoryPath+query, nil))
	var out told
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK {
		r.t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	return out
}

func sum(v []*float64) (out float64) {
	for _, x := range v {
		if x != nil {
			out += *x
		}
	}
	return out
}

// TestThePastIsRemembered: what viewers report comes out of the history, once.
func TestThePastIsRemembered(t *testing.T) {
	r := newRig(t, Config{})
	r.Record()
	session := r.session()
	r.seed()
	for i := range int64(6) {
		r.now = r.now.Add(history.FineStep)
		if w := r.do("POST", telemetryPath, report(session, i+1, (i+1)*1000, (i+1)*3000)); w.Code != http.StatusOK {
			t.Fatal(w.Body)
		}
		r.Record()
	}
	got := r.past("?from=-5m")
	if got.Version != 1 || got.Now.Viewers != 1 || len(got.Now.SeederStates) != 1 || got.Now.SeederStates[0].MaxPeers != 200 || got.Now.Startup.Count != 1 {
		t.Errorf("now: %+v", got.Now)
	}
	if got.Past.StepSeconds != 10 || sum(got.Past.HTTP) != 6000 || sum(got.Past.Seeder) != 18000 || sum(got.Past.Stalls) != 1 {
		t.Errorf("steps of %v s, %v and %v bytes, %v stalls", got.Past.StepSeconds, sum(got.Past.HTTP), sum(got.Past.Seeder), sum(got.Past.Stalls))
	}
	if last := len(got.Past.Time) - 1; got.Past.Viewers[0] != nil || got.Past.Viewers[last] == nil || *got.Past.Viewers[last] != 1 || got.Past.Startup[last] == nil {
		t.Errorf("viewers %v", got.Past.Viewers)
	}
}

// TestSitesOfThePast: the bytes of a site are told once, although each window has them several times, and its copies are those
// of the statistics.
func TestSitesOfThePast(t *testing.T) {
	r := newRig(t, Config{})
	r.sites, r.proxied = offices(t, sites.Full), true
	one, home := r.at("10.1.0.1"), r.at("192.0.9.1")
	r.Record()
	for i := range int64(300) {
		r.now = r.now.Add(history.FineStep)
		if i < 200 {
			one.report(telemetry.RoleViewer, played("720p", telemetry.Sources{SeederOutside: (i + 1) * 1_000_000}))
			home.report(telemetry.RoleViewer, played("720p", telemetry.Sources{Origin: (i + 1) * 1_000}))
		}
		r.Record()
	}
	w := httptest.NewRecorder()
	r.Operator().ServeHTTP(w, httptest.NewRequest(http.MethodGet, HistoryPath+"?from=-55m", nil))
	var got struct {
		Past struct {
			Sites []struct {
				Name                                   string
				LineBytes, ReceivedBytes, OneCopyBytes float64
			}
		} `json:"history"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Past.Sites) != 2 || got.Past.Sites[0].Name != "berlin" || got.Past.Sites[1].Name != "" {
		t.Fatalf("%+v", got.Past.Sites)
	}
	berlin, outside := got.Past.Sites[0], got.Past.Sites[1]
	if math.Abs(berlin.LineBytes/200e6-1) > .05 || math.Abs(berlin.LineBytes/berlin.OneCopyBytes-1) > .05 || berlin.ReceivedBytes != berlin.LineBytes {
		t.Errorf("%+v", berlin)
	}
	if outside.OneCopyBytes != 0 || outside.LineBytes == 0 {
		t.Errorf("what is no place has copies: %+v", outside)
	}
}

// TestTheDashboardIsForOperators: without the setting, nothing of it is public.
func TestTheDashboardIsForOperators(t *testing.T) {
	r := newRig(t, Config{})
	for _, path := range []string{"/dashboard", "/dashboard/dashboard.js", HistoryPath, HistoryCSVPath, MeshPath} {
		if w := r.do("GET", path, "", own...); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
		w := httptest.NewRecorder()
		r.Operator().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s for operators: %d %v", path, w.Code, w.Header())
		}
	}
	w := httptest.NewRecorder()
	r.Operator().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/player", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("/player on the private listener: %d", w.Code)
	}
}

// TestWhoSeesAPublicDashboard: the tracker's own page and holders of a seeder token, and no page that merely may play.
func TestWhoSeesAPublicDashboard(t *testing.T) {
	type request struct {
		name, method string
		header       []string
		want         int
	}
	for name, c := range map[string]struct {
		cfg      Config
		token    bool
		requests []request
	}{
		"open to all pages": {cfg: Config{}, requests: []request{
			{"own page", "POST", own, 200},
			{"own page by address", "POST", []string{"Host", "192.0.2.1:8000", "Origin", "http://192.0.2.1:8000"}, 200},
			{"curl", "GET", []string{"Host", "127.0.0.1:8000", "Origin", ""}, 200},
			{"foreign page", "POST", []string{"Host", "localhost:8000", "Origin", "https://page.test"}, 403},
			{"foreign page, without privacy", "POST", []string{"Host", "localhost:8000", "Origin", "null"}, 403},
			{"a name that was made to lead here", "POST", []string{"Host", "evil.test:8000", "Origin", "http://evil.test:8000"}, 403},
			{"the same with GET", "GET", []string{"Host", "evil.test:8000", "Origin", ""}, 403},
			{"seeder", "GET", []string{"Host", "evil.test:8000", "Origin", "", "Authorization", "Bearer secret"}, 200},
			{"wrong token", "GET", []string{"Host", "evil.test:8000", "Origin", "", "Authorization", "Bearer guess"}, 403},
			{"other method", "DELETE", own, 405},
		}},
		"with a name": {cfg: Config{ExternalURL: "https://ecdn.test"}, requests: []request{
			{"own page", "POST", []string{"Host", "10.0.0.1", "Origin", "https://ecdn.test"}, 200},
			{"another name", "POST", []string{"Host", "localhost", "Origin", "http://localhost"}, 403},
		}},
		"with listed pages": {cfg: Config{AllowedOrigins: []string{"https://intranet.test"}}, requests: []request{
			{"a listed page may play and not see", "POST", []string{"Host", "localhost:8000", "Origin", "https://intranet.test"}, 403},
			{"own page", "POST", own, 200},
		}},
		"with viewer tokens": {cfg: Config{}, token: true, requests: []request{
			{"own page", "POST", own, 401},
			{"viewer", "POST", append([]string{"Authorization", "Bearer viewer"}, own...), 401},
			{"seeder", "POST", append([]string{"Authorization", "Bearer secret"}, own...), 200},
		}},
	} {
		c.cfg.Dashboard = true
		r := newRig(t, c.cfg)
		if c.token {
			r.deps.Token = func(token string, _ time.Time) error {
				if token != "viewer" {
					return errors.New("no")
				}
				return nil
			}
		}
		for _, q := range c.requests {
			for _, path := range []string{HistoryPath, HistoryCSVPath, MeshPath} {
				w := r.do(q.method, path, "", q.header...)
				if w.Code != q.want {
					t.Errorf("%s, %s, %s: %d %s", name, q.name, path, w.Code, w.Body)
				}
				if w.Header().Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%s, %s: other pages may read it", name, q.name)
				}
			}
		}
		if w := r.do("GET", "/dashboard", ""); w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), "connect-src 'self'") {
			t.Errorf("%s: page: %d", name, w.Code)
		}
	}
}

func TestHostileQueriesOfThePast(t *testing.T) {
	r := newRig(t, Config{Dashboard: true, RequestsPerSecond: -1})
	for i := range 3 {
		r.now = r.now.Add(time.Duration(i) * history.FineStep)
		r.Record()
	}
	for query, want := range map[string]int{
		"": 200, "?from=-24h&points=1440": 200, "?from=-9999h": 200, "?from=0": 200, "?points=1": 200, "?x=1&from=": 200,
		"?from=-1h&to=-2h": 400, "?points=0": 400, "?points=1441": 400, "?points=1e9": 400, "?points=-1": 400, "?from=NaN": 400, "?to=0": 400,
		"?from=" + strings.Repeat("9", 4000): 400, "?from=%00%ff": 400, "?from=-" + strings.Repeat("1", 39) + "h": 400,
	} {
		for _, path := range []string{HistoryPath, HistoryCSVPath} {
			w := r.do("POST", path+query, "", own...)
			if w.Code != want || w.Body.Len() > 1<<20 {
				t.Errorf("%s%s: %d, %d bytes", path, query, w.Code, w.Body.Len())
			}
			if w.Code == 400 && strings.Contains(w.Body.String(), "9999999") {
				t.Errorf("%s echoes what it was sent", path)
			}
		}
	}
}

// TestThePastIsAskedForSeldom: one address cannot keep the tracker busy with it.
func TestThePastIsAskedForSeldom(t *testing.T) {
	r := newRig(t, Config{Dashboard: true, RequestsPerSecond: 100, RequestBurst: 500})
	accepted := 0
	for range 200 {
		switch w := r.do("POST", HistoryPath, "", own...); w.Code {
		case http.StatusOK:
			accepted++
		case http.StatusTooManyRequests:
			if w.Header().Get("Retry-After") == "" {
				t.Fatal("no Retry-After")
			}
		default:
			t.Fatal(w.Code, w.Body)
		}
	}
	if accepted != 10 {
		t.Errorf("%d requests at once, want 10", accepted)
	}
	r.now = r.now.Add(time.Second)
	if w := r.do("POST", HistoryPath, "", own...); w.Code != http.StatusOK {
		t.Errorf("a second later: %d", w.Code)
	}
	if w := r.do("GET", "/v1/config", ""); w.Code != http.StatusOK {
		t.Errorf("settings: %d", w.Code)
	}
}

func TestThePastAsCSV(t *testing.T) {
	r := newRig(t, Config{})
	r.sites, r.proxied = offices(t, sites.Full), true
	one := r.at("10.1.0.1")
	r.Record()
	for i := range int64(3) {
		r.now = r.now.Add(history.FineStep)
		one.report(telemetry.RoleViewer, played("720p", telemetry.Sources{Origin: 5000 * (i + 1)}))
		r.Record()
	}
	w := httptest.NewRecorder()
	r.Operator().ServeHTTP(w, httptest.NewRequest(http.MethodGet, HistoryCSVPath+"?from=-1m", nil))
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || !strings.Contains(w.Header().Get("Content-Disposition"), "history.csv") {
		t.Fatal(err, w.Header())
	}
	header, middle := strings.Join(rows[0], " "), strings.Join(rows[len(rows)-2], " ")
	if !strings.HasPrefix(header, "time covered_seconds viewers_mean") || !strings.Contains(header, "line_bytes:berlin") || !strings.Contains(middle, "Z 10 1 1 0 5000 0 ") {
		t.Errorf("%s\n%s", header, middle)
	}
}

// TestPathsOfOperators: each is served.
func TestPathsOfOperators(t *testing.T) {
	r := newRig(t, Config{})
	for _, pattern := range OperatorPaths() {
		path := strings.TrimPrefix(pattern, "GET ")
		if path == "/dashboard/" {
			path += "dashboard.css"
		}
		w := httptest.NewRecorder()
		r.Operator().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if len(OperatorPaths()) != 4+len(web.DashboardPaths()) {
		t.Error(OperatorPaths())
	}
}
