package interop

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/test/lab"
	"github.com/p2pstream/p2pstream/test/lab/browser"
	"github.com/p2pstream/p2pstream/web"
)

// eventSites are the offices of an event: one has a line that carries too much.
var eventSites = []struct {
	name            string
	viewers, copies float64
}{{"hamburg", 64, 3.4}, {"berlin", 120, 1.1}, {"wien", 41, 1.3}, {"zürich", 18, 1.7}}

// TestDashboardOfAnEvent shows an hour that no test has the time to play: the history is that of the tracker's own code, of made-up
// samples. Every chart has something on it, the worst office is named first, and everyone can read it.
func TestDashboardOfAnEvent(t *testing.T) {
	t.Parallel()
	pool.Take(t, 1)
	ctx := t.Context()
	ring, now := eventHistory(time.Now())
	assets := web.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/history" {
			assets.ServeHTTP(w, r)
			return
		}
		query, err := history.ParseQuery(r.URL.Query(), now.Now)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		// A page that went away needs no answer.
		_ = json.NewEncoder(w).Encode(map[string]any{"v": 1, "now": now, "history": ring.Query(query)})
	}))
	t.Cleanup(server.Close)
	tab := sharedBrowser(t).OpenURL(ctx, server.URL+"/dashboard")
	lab.Eventually(t, time.Minute, "every chart to have something on it", func() bool {
		return browser.Value[bool](ctx, tab, `document.querySelectorAll("#charts figure").length >= 8 && [...document.querySelectorAll("#charts figure")].every((f) => {
			const canvas = f.querySelector(".plot:not([hidden]) canvas");
			return canvas && canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((v) => v > 0);
		})`)
	})
	if first := browser.Value[string](ctx, tab, `document.querySelector("#sites tbody th").innerText`); first != eventSites[0].name {
		t.Errorf("the first site is %q", first)
	}
	checkLooks(t, tab, "dashboard-event")
}

// eventHistory is an hour and a half of an event in four offices, and the state at its end.
func eventHistory(end time.Time) (*history.Ring, stats.Dashboard) {
	const bitrate, step, lasts = 2.5e6, 10 * time.Second, 90 * time.Minute
	ring := history.New()
	var sum history.Counters
	var now stats.Dashboard
	yes, window := true, 60*time.Second
	for at := end.Add(-lasts); !at.After(end); at = at.Add(step) {
		// People come within some minutes, and a few of them leave and come back all the time.
		age := at.Sub(end.Add(-lasts)).Minutes()
		come := 1/(1+math.Exp(-(age-35)/4)) + 0.02*math.Sin(age)
		segment := bitrate / 8 * step.Seconds()
		sample := history.Sample{At: at, Seeders: 2, StartupP50: time.Duration((420 + 60*math.Sin(age/7)) * 1e6), StartupP95: time.Duration((1150 + 250*math.Sin(age/5)) * 1e6)}
		now.Sites = nil
		for _, office := range eventSites {
			viewers := math.Round(office.viewers * come)
			line := segment * math.Min(office.copies*(1+0.1*math.Sin(age+office.viewers)), viewers)
			received := segment * viewers
			sample.Viewers += viewers
			sample.Sites = append(sample.Sites, history.Part{Name: office.name, Line: line, Received: received, OneCopy: segment, Viewers: viewers})
			sum.HTTP += int64(line / 8)
			sum.Seeder += int64(line * 7 / 8)
			sum.Viewer += int64(received - line)
			copies, offload := line/segment, 1-line/8/math.Max(received, 1)
			now.Sites = append(now.Sites, stats.Site{Name: office.name, Viewers: int(viewers), Reporting: int(viewers), Copies: &copies, Offload: &offload,
				LineBitsPerSecond: int64(8 * line / step.Seconds())})
		}
		sum.Uploaded = sum.Viewer
		sum.SeederHTTP += int64(segment)
		if int(age*6)%41 == 17 {
			sum.Stalls += int64(come * 3)
			sum.StallMs += int64(come * 2400)
		}
		if sum.Stalls > 0 {
			sample.StallP95 = 900 * time.Millisecond
		}
		for name, share := range map[string]float64{"480p": 0.2, "720p": 0.8} {
			sample.Renditions = append(sample.Renditions, history.Part{Name: name, Received: segment * share, Viewers: math.Round(sample.Viewers * share)})
		}
		sample.Counters = sum
		ring.Add(sample)
		ratio := 1 - float64(sum.HTTP)/math.Max(1, float64(sum.HTTP+sum.Seeder+sum.Viewer))
		totals := telemetry.Counters{HTTP: sum.HTTP, Seeder: sum.Seeder, Viewer: sum.Viewer, Uploaded: sum.Uploaded}
		now.Now, now.StartedAt, now.Stream, now.IntervalSeconds = at, end.Add(-lasts), "events/town-hall", 5
		now.ViewersKnown, now.Viewers, now.Reporting, now.Seeders, now.SeedersHolding = true, int(sample.Viewers), int(sample.Viewers), 2, 2
		now.Live, now.Peerable, now.STUNServers, now.HasSites = &yes, &yes, 1, true
		now.Offload = stats.DashboardOffload{WindowSeconds: window.Seconds(), Window: totals, WindowRatio: &ratio, Totals: totals, TotalRatio: &ratio, Stalls: sum.Stalls}
		now.Startup = stats.Percentiles{Count: 200, P50Ms: sample.StartupP50.Seconds() * 1000, P95Ms: sample.StartupP95.Seconds() * 1000}
		now.Stall = stats.Percentiles{Count: sum.Stalls, P50Ms: 400, P95Ms: 900}
		now.Renditions = []stats.DashboardRendition{{Name: "480p", Type: "main", Bandwidth: 1_200_000, Resolution: "854x480", Viewers: int(sample.Viewers * 0.2)},
			{Name: "720p", Type: "main", Bandwidth: bitrate, Resolution: "1280x720", Viewers: int(sample.Viewers * 0.8)}}
	}
	for _, id := range []string{"seeder-0", "seeder-1"} {
		now.SeederStates = append(now.SeederStates, stats.DashboardSeeder{ID: id, Fresh: true, Peers: 31, MaxPeers: 200, UplinkBps: 9_400_000, UplinkLimitBps: 400_000_000})
	}
	return ring, now
}
