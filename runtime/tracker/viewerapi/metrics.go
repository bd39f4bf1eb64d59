package viewerapi

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// metrics have only labels with a bounded set of values: paths, refusal reasons, the first sites.
type metrics struct {
	requests *prometheus.CounterVec
	reports  *prometheus.CounterVec
	refused  *prometheus.CounterVec
	excess   prometheus.Counter
	clamped  prometheus.Counter
	bytes    *prometheus.CounterVec
	stalls   prometheus.Counter
	stalled  prometheus.Counter
	startup  prometheus.Histogram
	// refreshes are the requests for which the facts were made newer.
	refreshes *prometheus.CounterVec
	checks    *prometheus.CounterVec
	sites     *prometheus.CounterVec
	labels    siteLabels
}

func newMetrics(reg prometheus.Registerer, h *Handler) (*metrics, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_requests_total",
			Help: "Requests answered, by path and status."}, []string{"path", "status"}),
		reports: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_reports_total",
			Help: "Telemetry reports, by result: Accepted or the reason of refusal."}, []string{"result"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_refused_total",
			Help: "Requests refused because of their origin, or for want of a ticket or token, by reason."}, []string{"reason"}),
		excess: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_viewerapi_excess_bytes_total",
			Help: "Media bytes that viewers reported, and that were not counted: the stream could not have delivered them."}),
		clamped: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_viewerapi_reports_clamped_total",
			Help: "Reports with more stalls, or a longer start-up, than there was time for. What was possible is counted."}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_media_bytes_total",
			Help: "Media bytes that peers report. Sources http, seeder and viewer are bytes received; discarded is a part of them."},
			[]string{"role", "site", "source"}),
		stalls: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_viewerapi_stalls_total",
			Help: "Times that playback stopped for lack of media, as viewers report."}),
		stalled: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_viewerapi_stall_seconds_total",
			Help: "Time that playback was stopped for lack of media, as viewers report."}),
		startup: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "p2pstream_viewerapi_startup_seconds",
			Help:    "Time from the request to play to the first frame, as viewers report.",
			Buckets: []float64{.1, .2, .3, .4, .5, .75, 1, 1.5, 2, 3, 5, 10}}),
	}
	m.refreshes = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_refreshes_total",
		Help: "Requests that needed current facts about the stream: known, or late because the origin took too long."}, []string{"result"})
	for _, result := range []string{"known", "late"} {
		m.refreshes.WithLabelValues(result)
	}
	m.checks = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_checked_segments_total",
		Help: "Segments from peers that viewers compared with the hashes of seeders, as they report, by result. " +
			"Wrong and unproven ones were dropped and fetched again."}, []string{"result"})
	for _, result := range []string{"right", "wrong", "unknown", "unproven"} {
		m.checks.WithLabelValues(result)
	}
	m.sites = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_viewerapi_site_bytes_total",
		Help: "Media bytes that viewers of a site received, by source, as they report. Outside is beyond the line of the site."}, []string{"site", "source"})
	for _, reason := range telemetry.Reasons() {
		m.reports.WithLabelValues(string(reason))
	}
	m.reports.WithLabelValues("Accepted")
	for _, reason := range doorReasons {
		m.refused.WithLabelValues(string(reason))
	}
	for _, path := range []string{HistoryPath, HistoryCSVPath} {
		m.requests.WithLabelValues(path, strconv.Itoa(http.StatusBadRequest))
	}
	for _, path := range []string{"/v1/config", stats.Path, PoliciesPath, "/v1/telemetry", HashesPath, HistoryPath, HistoryCSVPath, MeshPath, assetsLabel} {
		m.requests.WithLabelValues(path, strconv.Itoa(http.StatusTooManyRequests))
	}
	m.requests.WithLabelValues(PoliciesPath, strconv.Itoa(http.StatusNotFound))
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge} {
		m.requests.WithLabelValues(HashesPath, strconv.Itoa(status))
	}
	sessions := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_viewerapi_reporting_viewers",
		Help: "Viewer sessions that reported within three intervals."}, func() float64 { return float64(h.reporting()) })
	remembered := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_viewerapi_sessions",
		Help: "Sessions remembered, up to limits.sessions."}, func() float64 { return float64(h.remembered()) })
	evicted := prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "p2pstream_viewerapi_sessions_evicted_total",
		Help: "Sessions forgotten because they expired or because there were too many."}, func() float64 { return float64(h.evicted()) })
	for _, c := range []prometheus.Collector{m.requests, m.reports, m.refused, m.excess, m.clamped, m.bytes, m.stalls, m.stalled, m.startup, m.refreshes, m.checks, m.sites, newSiteCollector(h), newStreamCollector(h), sessions, remembered, evicted,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_viewerapi_history_seconds",
			Help: "Time that the history of the dashboard reaches back, at most a day."}, h.past.Seconds),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_viewerapi_history_step_seconds",
			Help: "Shortest step of the history of the dashboard: 10, and more while histories take too much memory."}, h.past.Step),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_viewerapi_history_names",
			Help: "Sites and renditions that the history of the dashboard names. Others are summed."}, h.past.Names)} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) accepted(from telemetry.Sender, r telemetry.Result) {
	m.reports.WithLabelValues("Accepted").Inc()
	m.excess.Add(float64(r.Excess))
	if r.Clamped {
		m.clamped.Inc()
	}
	site := m.labels.of(from.Site)
	if from.Role == telemetry.RoleViewer {
		m.siteBytes(site, r.Played)
	}
	for source, n := range map[string]int64{"http": r.Delta.HTTP, "seeder": r.Delta.Seeder, "viewer": r.Delta.Viewer,
		"discarded": r.Delta.Discarded, "uploaded": r.Delta.Uploaded} {
		m.bytes.WithLabelValues(string(from.Role), site, source).Add(float64(n)) // also 0: a share of what is absent is absent
	}
	m.stalls.Add(float64(r.Stalls))
	m.stalled.Add((time.Duration(r.StallMs) * time.Millisecond).Seconds())
	m.checks.WithLabelValues("right").Add(float64(r.Checks.Right))
	m.checks.WithLabelValues("wrong").Add(float64(r.Checks.Wrong))
	m.checks.WithLabelValues("unknown").Add(float64(r.Checks.Unknown))
	m.checks.WithLabelValues("unproven").Add(float64(r.Checks.Unproven))
	if r.Startup > 0 {
		m.startup.Observe((time.Duration(r.Startup) * time.Millisecond).Seconds())
	}
}

func (h *Handler) reporting() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	viewers, _ := h.aggregate.Reporting(h.cfg.Stream, telemetry.RoleViewer, h.deps.Now())
	return viewers
}

func (h *Handler) evicted() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.aggregate.Evicted(h.deps.Now())
}

func (h *Handler) remembered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.aggregate.Sessions()
}
