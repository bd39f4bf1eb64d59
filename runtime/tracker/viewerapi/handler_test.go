package viewerapi

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/addresses"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

type fakeSwarms struct {
	counts   []SwarmCount
	audience Audience
}

func (f *fakeSwarms) Snapshot() []SwarmCount { return f.counts }
func (f *fakeSwarms) Audience() Audience     { return f.audience }

type fakeFacts struct{ facts Facts }

func (f *fakeFacts) Facts() Facts { return f.facts }

// rig is a handler with test doubles for its dependencies.
type rig struct {
	*Handler
	t      *testing.T
	now    time.Time
	swarms fakeSwarms
	facts  fakeFacts
	stun   []string // ready ones
	// proxied sends requests through a trusted proxy; sites is the map.
	proxied bool
	sites   *sites.Map
}

func liveFacts(at time.Time) Facts {
	yes := true
	return Facts{At: at, SwarmID: "https://origin.test/live.m3u8", Peerable: &yes,
		Playlist: settings.Playlist{Live: true, TargetDuration: 4 * time.Second, Segments: 10, Window: 40 * time.Second, Edge: 100},
		Renditions: []Rendition{
			{Name: "720p", Type: "main", Bandwidth: 2_000_000, InfoHashes: map[string]string{"v2.2": "AAAAAAAAAAAAAAAAAAAA", "v2.3": "BBBBBBBBBBBBBBBBBBBB"}},
			{Name: "audio-en", Type: "secondary", InfoHashes: map[string]string{"v2.2": "CCCCCCCCCCCCCCCCCCCC", "v2.3": "DDDDDDDDDDDDDDDDDDDD"}},
		}}
}

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	r.facts.facts = liveFacts(r.now)
	if cfg.StreamURL == "" {
		cfg.StreamURL = "https://origin.test/live.m3u8?token=x"
	}
	if cfg.SeederToken == "" {
		cfg.SeederToken = "secret"
	}
	h, err := New(cfg, Dependencies{Swarms: &r.swarms, Facts: &r.facts, Now: func() time.Time { return r.now },
		Sites:     func() *sites.Map { return r.sites },
		STUNReady: func(s string) bool { return slices.Contains(r.stun, s) }}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	r.Handler = h
	return r
}

func (r *rig) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Host = "tracker.test:8000"
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Add(header[i], header[i+1])
		}
	}
	if _, given := req.Header["Authorization"]; !given && strings.HasPrefix(path, "/v1/stats") {
		req.Header.Set("Authorization", "Bearer secret") // of a caller that may read all
	}
	if _, given := req.Header["Origin"]; !given && req.Header.Get("Sec-Fetch-Site") == "" {
		req.Header.Set("Origin", "http://page.test")
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, r.received(req))
	return w
}

// received is a request as the tracker passes it to the handler.
func (r *rig) received(req *http.Request) *http.Request {
	if !r.proxied {
		return req
	}
	source := addresses.Source{Headers: true, Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}} // httptest's address
	return req.WithContext(addresses.With(req.Context(), source.Client(req, addresses.Peer(req.RemoteAddr))))
}

func get[T any](r *rig, path string, header ...string) T {
	r.t.Helper()
	w := r.do("GET", path, "", header...)
	var v T
	if w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &v) != nil {
		r.t.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return v
}

func (r *rig) session() string { return get[ViewerConfig](r, "/v1/config").Telemetry.Session }

func report(session string, sequence, httpBytes, seederBytes int64) string {
	return fmt.Sprintf(`{"v":1,"session":%q,"sequence":%d,"role":"viewer","counters":{"http":%d,"seeder":%d},"peers":2,"stalls":1,"stallMs":40,"startupMs":320}`,
		session, sequence, httpBytes, seederBytes)
}

const seederReport = `{"v":1,"session":"seeder-0","sequence":%d,"role":"seeder","counters":{"http":1000,"uploaded":%d},"seeder":{"renditions":[{"name":"720p","heldEdge":100,"segments":9}],"peers":1,"maxPeers":200}}`

func (r *rig) seed() {
	r.t.Helper()
	if w := r.do("POST", "/v1/telemetry", fmt.Sprintf(seederReport, 1, 500), "Authorization", "Bearer secret"); w.Code != http.StatusOK {
		r.t.Fatalf("seeder report: %d %s", w.Code, w.Body)
	}
	r.now = r.now.Add(time.Second) // past the cache
}

func TestConfigOfAStream(t *testing.T) {
	r := newRig(t, Config{STUN: []string{"stun:stun-0.test:3478", "stun-1.test:3478"}})
	r.stun = []string{"stun-1.test:3478"}
	c := get[ViewerConfig](r, "/v1/config")
	if c.Seeders != 0 || c.Settings.Core.HTTPDownloadInitialTimeoutMs != 0 {
		t.Fatalf("without seeders: %+v", c)
	}
	r.seed()
	c = get[ViewerConfig](r, "/v1/config")
	ticket := c.Telemetry.Session
	c.Telemetry.Session = ""
	ice := []settings.ICEServer{{URLs: []string{"stun:stun-1.test:3478"}}}
	want := ViewerConfig{Version: 1, StreamURL: "https://origin.test/live.m3u8?token=x", Format: "HLS", SwarmID: "https://origin.test/live.m3u8",
		Trackers: []string{"ws://tracker.test:8000/announce?t=" + ticket}, ICEServers: ice, Seeders: 1,
		Telemetry: ViewerTelemetry{URL: "http://tracker.test:8000/v1/telemetry", ConfigURL: "http://tracker.test:8000/v1/config", IntervalMs: 5000},
		Settings:  settings.For(settings.Input{Playlist: r.facts.facts.Playlist, SeedersHold: true})}
	want.Settings.Core.SwarmID, want.Settings.Core.AnnounceTrackers = want.SwarmID, want.Trackers
	want.Settings.Core.RTCConfig.ICEServers = ice
	if d := cmp.Diff(want, c); d != "" {
		t.Fatal(d)
	}
	if c := get[ViewerConfig](r, "/v1/config?udp=blocked"); c.Settings.Core.HighDemand != 15 {
		t.Fatalf("a viewer without UDP: %+v", c.Settings)
	}
	// Viewers are not configured to wait for seeders that no longer report.
	r.now = r.now.Add(time.Minute)
	if c := get[ViewerConfig](r, "/v1/config"); c.Seeders != 0 || c.Settings.Core.HTTPDownloadInitialTimeoutMs != 0 {
		t.Fatalf("silent seeders: %+v", c)
	}
}

// TestConfigNamesTheFormat: a page chooses its player by it, also while the origin cannot be read.
func TestConfigNamesTheFormat(t *testing.T) {
	for _, tt := range []struct{ url, read, want string }{
		{"https://origin.test/live.m3u8?x=.mpd", "", "HLS"},
		{"https://origin.test/live.MPD?token=x", "", "DASH"},
		{"https://origin.test/live", "", "HLS"},
		{"https://origin.test/live", "DASH", "DASH"},
		{"https://origin.test/live.mpd", "HLS", "HLS"},
	} {
		r := newRig(t, Config{StreamURL: tt.url})
		r.facts.facts.Format = tt.read
		if c := get[ViewerConfig](r, "/v1/config"); c.Format != tt.want {
			t.Errorf("%s, read as %q: %q, want %q", tt.url, tt.read, c.Format, tt.want)
		}
	}
}

func TestConfigAddresses(t *testing.T) {
	forwarded := []string{"X-Forwarded-Proto", "https, http", "X-Forwarded-Host", "cdn.test"}
	tests := []struct {
		name     string
		cfg      Config
		header   []string
		ws, post string
		status   int
	}{
		{"own", Config{}, nil, "ws://tracker.test:8000/announce", "http://tracker.test:8000/v1/telemetry", 200},
		{"forwarded is a claim", Config{}, forwarded, "ws://tracker.test:8000/announce", "http://tracker.test:8000/v1/telemetry", 200},
		{"forwarded is trusted", Config{Stream: "proxied"}, forwarded, "wss://cdn.test/announce", "https://cdn.test/v1/telemetry", 200},
		{"external", Config{ExternalURL: "https://t.example.com/ecdn/"}, nil, "wss://t.example.com/ecdn/announce", "https://t.example.com/ecdn/v1/telemetry", 200},
		{"IPv6", Config{}, []string{"Host", "[::1]:8000"}, "ws://[::1]:8000/announce", "http://[::1]:8000/v1/telemetry", 200},
		{"strange host", Config{}, []string{"Host", "a/b?c"}, "", "", 400},
		{"user in host", Config{}, []string{"Host", "good.test@evil.test"}, "", "", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, tt.cfg)
			r.proxied = tt.cfg.Stream == "proxied"
			w := r.do("GET", "/v1/config", "", tt.header...)
			if w.Code != tt.status {
				t.Fatalf("status %d", w.Code)
			}
			if tt.status != 200 {
				return
			}
			c := get[ViewerConfig](r, "/v1/config", tt.header...)
			if c.Trackers[0] != tt.ws+"?t="+c.Telemetry.Session || c.Telemetry.URL != tt.post {
				t.Fatalf("%v %s", c.Trackers, c.Telemetry.URL)
			}
		})
	}
}

func TestConfigNeverHarms(t *testing.T) {
	for reason, off := range map[string]bool{"LowLatencyPartsOnly": true, "UnknownCodecs": true, "LiveWindowTooShort": false} {
		r := newRig(t, Config{})
		p, list := presentation(), playlist(r.now, true, false)
		switch reason {
		case "LowLatencyPartsOnly":
			list.LowLatencyParts = true
		case "UnknownCodecs":
			p.UnknownCodecs = true
		case "LiveWindowTooShort":
			list.Entries = 2
		}
		v := manifest.Judge(p, manifest.Evidence{Playlists: map[string]*manifest.Playlist{"720p": list}})
		if v.Reason != reason {
			t.Fatalf("judged %+v", v)
		}
		r.facts.facts.judge(v)
		if c := get[ViewerConfig](r, "/v1/config"); c.Settings.Core.IsP2PDisabled != off {
			t.Fatalf("%s: P2P disabled %v", reason, c.Settings.Core.IsP2PDisabled)
		}
	}
	r := newRig(t, Config{})
	r.facts.facts = Facts{Problem: "origin down"}
	if c := get[ViewerConfig](r, "/v1/config"); c.Settings.Core.HighDemand != 15 || c.SwarmID != "" {
		t.Fatalf("unknown stream: %+v", c)
	}
}

func TestOwnerHasTheLastWord(t *testing.T) {
	r := newRig(t, Config{Settings: json.RawMessage(`{"core":{"highDemandTimeWindow":5,"httpDownloadTimeWindow":null,"mainStream":{"isP2PUploadDisabled":true}},"hlsjs":null}`)})
	var c struct {
		StreamURL string
		Settings  map[string]map[string]any
	}
	if err := json.Unmarshal(r.do("GET", "/v1/config", "").Body.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	core := c.Settings["core"]
	if core["highDemandTimeWindow"] != 5.0 || core["httpDownloadTimeWindow"] != nil || core["p2pDownloadTimeWindow"] != 6000.0 ||
		core["swarmId"] == nil || c.Settings["hlsjs"] != nil || c.StreamURL == "" {
		t.Fatalf("%+v", c)
	}
}

func TestSeederHooks(t *testing.T) {
	r := newRig(t, Config{})
	token, told := "", ""
	r.deps.SeederToken = func() string { return token }
	r.deps.OnSeeder = func(id string, s telemetry.SeederState) { told = fmt.Sprint(id, " ", s.Peers, " of ", s.MaxPeers) }
	for _, step := range []struct {
		token, told string
		status      int
	}{{"", "", 401}, {"old", "", 401}, {"new", "seeder-0 1 of 200", 200}} {
		token = step.token
		w := r.do("POST", "/v1/telemetry", fmt.Sprintf(seederReport, 1, 1), "Authorization", "Bearer new")
		if w.Code != step.status || told != step.told {
			t.Fatalf("token %q: %d, told %q", step.token, w.Code, told)
		}
	}
}

func TestStats(t *testing.T) {
	r := newRig(t, Config{})
	m, err := sites.New(sites.Config{List: []sites.Entry{{Name: "lab", CIDRs: []string{"192.0.2.0/24"}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.sites = m
	r.seed()
	r.swarms.audience = Audience{ViewerSockets: 5, SeederSockets: 1}
	r.swarms.counts = []SwarmCount{{"BBBBBBBBBBBBBBBBBBBB", 4, 1}, {"AAAAAAAAAAAAAAAAAAAA", 3, 1}, {"ZZZZZZZZZZZZZZZZZZZZ", 2, 0}}
	session := r.session()
	r.now = r.now.Add(5 * time.Second)
	w := r.do("POST", "/v1/telemetry", report(session, 1, 1000, 3000), "Content-Type", "text/plain;charset=UTF-8")
	if want := `{"acked":{"http":1000,"seeder":3000,"viewer":0,"discarded":0,"uploaded":0},"boot":"` + r.Boot() + `","swarmID":"https://origin.test/live.m3u8","nextMs":5000,"voucher":"`; w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s := get[Stats](r, "/v1/stats")
	if s.Viewers != 5 || s.Reporting != 1 || s.Seeders != 1 || s.Peers != 9 || s.OtherSwarms != 1 || s.OtherPeers != 2 {
		t.Errorf("people: %+v", s)
	}
	if s.Offload.WindowRatio == nil || *s.Offload.WindowRatio != 0.75 || s.Offload.Totals.HTTP != 1000 || s.Offload.SeederTotals.HTTP != 1000 {
		t.Errorf("offload: %+v", s.Offload)
	}
	if !s.SeedersHold || len(s.SeederStates) != 1 || s.Boot != r.Boot() || s.Peerable == nil || s.Offload.StartupMs != 320 {
		t.Errorf("stats: %+v", s)
	}
	if swarm := (SwarmStats{Generation: "v2.3", InfoHash: "BBBBBBBBBBBBBBBBBBBB", Peers: 4, Seeders: 1}); s.Renditions[0].Peers != 7 || s.Renditions[0].Swarms[1] != swarm || s.Renditions[1].Peers != 0 {
		t.Errorf("renditions: %+v", s.Renditions)
	}
	if s.Groups[1].Site != "lab" {
		t.Errorf("groups: %+v", s.Groups)
	}
	for name, waits := range map[string]*telemetry.Waits{"since the start": s.Offload.Waits, "recent": s.Offload.RecentWaits} {
		startup, _ := waits.Startup.Percentile(.5)
		stall, _ := waits.Stall.Percentile(.5)
		if waits.Startup.Count() != 1 || startup.Round(20*time.Millisecond) != 320*time.Millisecond ||
			waits.Stall.Count() != 1 || stall.Round(5*time.Millisecond) != 40*time.Millisecond {
			t.Errorf("%s: start-up %s, stall %s", name, startup, stall)
		}
	}
}

func TestStatsOfAnOpenTracker(t *testing.T) {
	h, err := New(Config{}, Dependencies{Swarms: &fakeSwarms{}}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Handler: h, t: t}
	if s := get[Stats](r, "/v1/stats"); s.Peerable != nil || s.Offload.WindowRatio != nil || !s.SourceReadAt.IsZero() {
		t.Fatalf("%+v", s)
	}
	if w := r.do("GET", "/v1/config", ""); w.Code != http.StatusNotFound {
		t.Fatalf("config of no stream: %d", w.Code)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		cfg   Config
		field string
	}{
		{Config{StreamURL: "ftp://x/y"}, "config.streamURL"},
		{Config{ExternalURL: "tracker"}, "config.externalURL"},
		{Config{STUN: []string{"stun:"}}, "config.stun"},
		{Config{AllowedOrigins: []string{"example.com"}}, "config.allowedOrigins"},
		{Config{Settings: json.RawMessage("[]")}, "config.settings"},
		{Config{SessionKey: []byte("short")}, "config.sessionKey"},
	}
	for _, tt := range tests {
		if err := tt.cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), tt.field) {
			t.Errorf("%+v: %v", tt.cfg, err)
		}
	}
	if err := (Config{StreamURL: "https://a/b", ExternalURL: "https://t", AllowedOrigins: []string{"*", "https://a:1"}}).Validate(); err != nil {
		t.Error(err)
	}
}
