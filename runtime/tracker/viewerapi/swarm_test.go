package viewerapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// fakeStream is a stream that can be looked at again.
type fakeStream struct {
	fakeFacts
	refreshes int
	late      bool
	refresh   func()
	adopted   []string
}

func (f *fakeStream) Refresh(context.Context) bool {
	f.refreshes++
	if f.refresh != nil {
		f.refresh()
	}
	return !f.late
}

func (f *fakeStream) Adopt(id string) {
	f.adopted = append(f.adopted, id)
	f.facts.SwarmID = id
}

func newStreamRig(t *testing.T, s *fakeStream, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s.facts = liveFacts(r.now)
	cfg.StreamURL, cfg.SeederToken = "https://origin.test/live.m3u8", "secret"
	h, err := New(cfg, Dependencies{Swarms: &r.swarms, Facts: s, Now: func() time.Time { return r.now }}, slog.New(slog.DiscardHandler), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	r.Handler = h
	return r
}

// TestAPageThatJoinsGetsTheNewSwarm: the stream is looked at before the settings are made.
func TestAPageThatJoinsGetsTheNewSwarm(t *testing.T) {
	s := &fakeStream{}
	r := newStreamRig(t, s, Config{SwarmID: "town-hall"})
	s.facts.SwarmID = "town-hall"
	s.refresh = func() { s.facts.SwarmID = "town-hall@tn5w8s" }
	c := get[ViewerConfig](r, "/v1/config")
	if c.SwarmID != "town-hall@tn5w8s" || c.Settings.Core.SwarmID != c.SwarmID || s.refreshes != 1 {
		t.Errorf("%d looks, %q", s.refreshes, c.SwarmID)
	}
	if st := get[Stats](r, "/v1/stats"); st.SwarmID != c.SwarmID || s.refreshes != 1 {
		t.Errorf("stats: %q, %d looks", st.SwarmID, s.refreshes)
	}
	s.late = true
	get[ViewerConfig](r, "/v1/config")
	for result, want := range map[string]float64{"known": 1, "late": 1} {
		var m dto.Metric
		if err := r.metrics.refreshes.WithLabelValues(result).Write(&m); err != nil || m.GetCounter().GetValue() != want {
			t.Errorf("%s: %v %v", result, m.GetCounter(), err)
		}
	}
}

// TestEveryReportIsToldTheSwarm: peers that stay learn from the answer to their report that a new event began.
func TestEveryReportIsToldTheSwarm(t *testing.T) {
	s := &fakeStream{}
	r := newStreamRig(t, s, Config{})
	s.facts.SwarmID = ""
	told := func(body string, header ...string) string {
		t.Helper()
		r.now = r.now.Add(5 * time.Second)
		w := r.do("POST", "/v1/telemetry", body, header...)
		var ack telemetry.Acknowledgement
		if err := json.Unmarshal(w.Body.Bytes(), &ack); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return ack.SwarmID
	}
	session := r.session()
	if got := told(report(session, 1, 0, 0)); got != "" {
		t.Errorf("a viewer of a stream that is not known: %q", got)
	}
	s.facts.SwarmID = "a"
	if got := told(report(session, 2, 0, 0)); got != "a" {
		t.Errorf("a viewer: %q", got)
	}
	s.facts.SwarmID = "a@1"
	if got := told(report(session, 3, 0, 0)); got != "a@1" {
		t.Errorf("a viewer in another event: %q", got)
	}
	token := []string{"Authorization", "Bearer secret"}
	if got := told(fmt.Sprintf(seederReport, 1, 1), token...); got != "a@1" || len(s.adopted) != 0 {
		t.Errorf("a seeder that does not say where it is: %q, adopted %v", got, s.adopted)
	}
	mine := strings.Replace(fmt.Sprintf(seederReport, 2, 1), `"peers":1,"maxPeers"`, `"swarmID":"a@2","peers":1,"maxPeers"`, 1)
	before := s.refreshes
	if got := told(mine, token...); got != "a@2" || !slices.Equal(s.adopted, []string{"a@2"}) || s.refreshes != before+1 {
		t.Errorf("a seeder that knows more: %q, adopted %v", got, s.adopted)
	}
	// A viewer has no say, and neither has a seeder without the token.
	r.now = r.now.Add(5 * time.Second)
	for _, body := range []string{strings.Replace(report(session, 4, 0, 0), `"peers"`, `"seeder":{"swarmID":"a@3"},"peers"`, 1), strings.Replace(mine, `"sequence":2`, `"sequence":3`, 1)} {
		if w := r.do("POST", "/v1/telemetry", body); w.Code == http.StatusOK || len(s.adopted) != 1 {
			t.Errorf("%d, adopted %v", w.Code, s.adopted)
		}
	}
}

func TestStatsTellWhoIsElsewhere(t *testing.T) {
	r := newRig(t, Config{})
	for i, id := range []string{r.facts.facts.SwarmID, "https://edge7.origin.test/live.m3u8", ""} {
		body := strings.Replace(fmt.Sprintf(seederReport, 1, 1), "seeder-0", fmt.Sprintf("seeder-%d", i), 1)
		if id != "" {
			body = strings.Replace(body, `"peers":1,"maxPeers"`, fmt.Sprintf(`"swarmID":%q,"peers":1,"maxPeers"`, id), 1)
		}
		if w := r.do("POST", "/v1/telemetry", body, "Authorization", "Bearer secret"); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	r.facts.facts.SecondaryOff = true
	s := get[Stats](r, "/v1/stats")
	if !slices.Equal(s.Elsewhere, []string{"seeder-1"}) || !slices.Equal(s.P2POff, []string{"secondary"}) {
		t.Errorf("elsewhere %v, off %v", s.Elsewhere, s.P2POff)
	}
}

// TestOneTypeIsOff: pages are told as the library's options say it, and only for the renditions that it is about.
func TestOneTypeIsOff(t *testing.T) {
	for _, tt := range []struct {
		main, secondary        bool
		all, video, audioTrack any
	}{
		{false, false, nil, nil, nil},
		{false, true, nil, nil, true},
		{true, false, nil, true, nil},
		{true, true, true, nil, nil},
	} {
		r := newRig(t, Config{})
		r.seed()
		r.facts.facts.MainOff, r.facts.facts.SecondaryOff = tt.main, tt.secondary
		var c struct {
			Settings struct {
				Core    map[string]any
				HLSJS   map[string]any
				Runtime map[string]any
			}
		}
		if err := json.Unmarshal(r.do("GET", "/v1/config", "").Body.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		of := func(key string) any {
			options, _ := c.Settings.Core[key].(map[string]any)
			return options["isP2PDisabled"]
		}
		if c.Settings.Core["isP2PDisabled"] != tt.all || of("mainStream") != tt.video || of("secondaryStream") != tt.audioTrack {
			t.Errorf("%+v: %v", tt, c.Settings.Core)
		}
		// Where no loader fetches video ahead, the player keeps its own buffer, and nothing waits for seeders.
		_, small := c.Settings.HLSJS["maxBufferLength"]
		if small == tt.main || (c.Settings.Core["httpDownloadInitialTimeoutMs"] == 0.0) != tt.main || (c.Settings.Runtime["withSeeders"] == nil) != tt.main {
			t.Errorf("%+v: %v %v", tt, c.Settings.HLSJS, c.Settings.Runtime)
		}
	}
}

// TestADoubtTurnsPeersOff: while it is open whether a new event began, a new page takes nothing from peers.
func TestADoubtTurnsPeersOff(t *testing.T) {
	r := newRig(t, Config{})
	r.facts.facts.DoubtSince = r.now.Add(-time.Second)
	for _, want := range []bool{false, true} {
		if c := get[ViewerConfig](r, "/v1/config"); c.Settings.Core.IsP2PDisabled != want {
			t.Errorf("since %v: off %v", r.now.Sub(r.facts.facts.DoubtSince), !want)
		}
		r.now = r.now.Add(time.Second)
	}
}
