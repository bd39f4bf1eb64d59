package viewer_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func log() *slog.Logger {
	if os.Getenv("P2PSTREAM_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// serve runs an origin whose requests pass through wrap.
func serve(t *testing.T, wrap func(http.Handler) http.Handler) string {
	t.Helper()
	o, err := origin.New(origin.Config{}, log(), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(wrap(o.Handler()))
	t.Cleanup(h.Close)
	return h.URL
}

func plain(h http.Handler) http.Handler { return h }

func play(t *testing.T, cfg viewer.Config) viewer.Report {
	t.Helper()
	v, err := viewer.New(cfg, log(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return v.Snapshot()
}

// TestWithoutALogger has something to log: the tracker refuses the first request for settings, and its second answer names a
// stream that is not there.
func TestWithoutALogger(t *testing.T) {
	var asked atomic.Int32
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/config" || asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, `{"streamURL": "http://%s/live/master.m3u8"}`, r.Host)
	}))
	defer h.Close()
	v, err := viewer.New(viewer.Config{ConfigURL: h.URL + "/v1/config", Duration: viewer.Duration(time.Second)}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if asked.Load() < 2 {
		t.Errorf("asked for settings %d times", asked.Load())
	}
}

func TestPlaysFromTheOriginAlone(t *testing.T) {
	url := serve(t, plain)
	for _, path := range []string{
		"/live/seg_1/window_8/master.m3u8", "/live/seg_1/window_8/fmp4/audio/master.m3u8", "/vod/seg_1/dur_20/master.m3u8",
		"/live/seg_1/window_8/manifest.mpd", "/live/seg_1/window_8/audio/timeline/manifest.mpd", "/vod/seg_1/dur_20/audio/manifest.mpd",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			r := play(t, viewer.Config{
				Source: url + path, NoP2P: true, Verify: true, Duration: duration.Duration(4 * time.Second),
			})
			one := r.Viewers[0]
			if one.StartupMs < 0 || one.Stalls != 0 || one.DigestErrors != 0 || one.Verified == 0 || one.PlayedMs < 2000 {
				t.Errorf("%+v", one)
			}
			if r.Total.Offload != 0 || r.Total.Bytes.HTTP == 0 {
				t.Errorf("%+v", r.Total)
			}
		})
	}
}

// TestAnOriginThatFailsIsAskedAgain answers every second segment request with
// an error first: the viewer must play all the same.
func TestAnOriginThatFailsIsAskedAgain(t *testing.T) {
	failed := map[string]bool{}
	gate := make(chan struct{}, 1)
	gate <- struct{}{}
	url := serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-gate
			first := !failed[r.URL.Path]
			failed[r.URL.Path] = true
			gate <- struct{}{}
			if first && !strings.HasSuffix(r.URL.Path, ".m3u8") {
				http.Error(w, "try again", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	r := play(t, viewer.Config{
		Source: url + "/live/seg_2/window_8/master.m3u8", NoP2P: true, Duration: duration.Duration(8 * time.Second),
	})
	if one := r.Viewers[0]; one.StartupMs < 0 || one.Stalls != 0 || one.Segments < 3 {
		t.Errorf("%+v", one)
	}
}

// TestMetricsAreTheReport: what Prometheus reads while viewers play is what they report at the end.
func TestMetricsAreTheReport(t *testing.T) {
	url := serve(t, plain)
	reg := prometheus.NewPedanticRegistry()
	v, err := viewer.New(viewer.Config{
		Source: url + "/live/seg_1/window_8/master.m3u8", NoP2P: true, Count: 2, Duration: duration.Duration(3 * time.Second),
	}, log(), reg)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	r := v.Snapshot()
	for name, want := range map[string]float64{
		"p2pstream_viewer_viewers":              2,
		"p2pstream_viewer_received_bytes_total": float64(r.Total.Bytes.HTTP),
		"p2pstream_viewer_stalls_total":         float64(r.Total.Stalls),
		"p2pstream_viewer_store_limit_bytes":    2 * viewer.DefaultStore,
		"p2pstream_mesh_peers":                  0,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", name, v, ok, want)
		}
	}
	if got["p2pstream_viewer_store_bytes"] <= 0 || r.Total.Bytes.HTTP <= 0 {
		t.Errorf("nothing held or received: %v", got)
	}
}

// TestStartupWait leaves a viewer without a peer: the origin is asked once the hope for one is over, not before.
func TestStartupWait(t *testing.T) {
	url := serve(t, plain)
	for name, tt := range map[string]struct{ wait, want time.Duration }{
		"default": {0, client.DefaultStartupWait},
		"longer":  {1200 * time.Millisecond, 1200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := play(t, viewer.Config{
				Source: url + "/vod/seg_1/dur_20/master.m3u8", Trackers: []string{"ws://127.0.0.1:1/announce"},
				StartupWait: duration.Duration(tt.wait), Duration: duration.Duration(4 * time.Second),
			})
			if one := r.Viewers[0]; one.StartupMs < tt.want.Milliseconds() || one.Bytes.HTTP == 0 {
				t.Errorf("%+v, want it to play from the origin after %v", one, tt.want)
			}
		})
	}
}

func TestStopsBeforeTheOriginIsThere(t *testing.T) {
	for _, cfg := range []viewer.Config{
		{Source: "http://127.0.0.1:1/master.m3u8", NoP2P: true}, {ConfigURL: "http://127.0.0.1:1/v1/config"},
	} {
		cfg.Duration = duration.Duration(300 * time.Millisecond)
		r := play(t, cfg)
		if len(r.Viewers) != 1 || r.Viewers[0].StartupMs != -1 {
			t.Errorf("%+v", r)
		}
	}
}

func TestValidateNamesTheField(t *testing.T) {
	for want, cfg := range map[string]viewer.Config{
		"config.configURL":    {},
		"config.source":       {Source: "ftp://x"},
		"config.trackers":     {Source: "http://x/m.m3u8", Trackers: []string{"http://t"}},
		"config.count":        {Source: "http://x/m.m3u8", Count: -1},
		"config.generations":  {Source: "http://x/m.m3u8", Generations: []string{"v9"}},
		"config.joinInterval": {Source: "http://x/m.m3u8", JoinInterval: -1},
		"config.duration":     {Source: "http://x/m.m3u8", Duration: -1},
		"config.maxPeers":     {Source: "http://x/m.m3u8", MaxPeers: -1},
		"config.startupWait":  {Source: "http://x/m.m3u8", StartupWait: -1},
	} {
		if _, err := viewer.New(cfg, log(), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s named", cfg, err, want)
		}
	}
}
