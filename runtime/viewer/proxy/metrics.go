package proxy

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// Kinds of requests, in metrics.
const (
	kindMaster   = "multivariant"
	kindPlaylist = "playlist"
	kindSegment  = "segment"
	kindResource = "resource"
	kindOther    = "other"
)

type metrics struct {
	requests    *prometheus.CounterVec
	bytes       *prometheus.CounterVec
	refused     *prometheus.CounterVec
	wait        prometheus.Histogram
	inFlight    prometheus.Gauge
	connections prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_proxy_requests_total", Help: "Players' requests answered, by kind and status code."}, []string{"kind", "code"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_proxy_sent_bytes_total", Help: "Body bytes written to players, by kind."}, []string{"kind"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_proxy_refused_total", Help: "Requests and connections refused, by reason."}, []string{"reason"}),
		wait: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "p2pstream_proxy_segment_wait_seconds", Help: "From a player's request for a segment to its first byte.",
			Buckets: []float64{.005, .02, .1, .25, .5, 1, 2, 4, 8, 16}}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "p2pstream_proxy_requests_in_flight", Help: "Requests being answered."}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "p2pstream_proxy_connections", Help: "Players' connections."}),
	}
	// All series exist from the start, so that a rate shows the first event.
	for _, reason := range []string{"connections", "requests", "players", "host", "ranges"} {
		m.refused.WithLabelValues(reason)
	}
	return m, errors.Join(reg.Register(m.requests), reg.Register(m.bytes), reg.Register(m.refused), reg.Register(m.wait),
		reg.Register(m.inFlight), reg.Register(m.connections))
}

func (m *metrics) answered(kind string, code int, bytes int64) {
	m.requests.WithLabelValues(kind, strconv.Itoa(code)).Inc()
	m.bytes.WithLabelValues(kind).Add(float64(bytes))
}

// collector shows what the server and its engine hold and have moved.
type collector struct{ s *Server }

var (
	playersDesc    = prometheus.NewDesc("p2pstream_proxy_players", "Active players.", nil, nil)
	watchedDesc    = prometheus.NewDesc("p2pstream_proxy_watched", "Renditions watched, counted for each player.", nil, nil)
	receivedDesc   = prometheus.NewDesc("p2pstream_proxy_received_bytes_total", "Media bytes received, by source.", []string{"source"}, nil)
	discardedDesc  = prometheus.NewDesc("p2pstream_proxy_discarded_bytes_total", "Media bytes received and not used.", nil, nil)
	uploadedDesc   = prometheus.NewDesc("p2pstream_proxy_uploaded_bytes_total", "Media bytes handed to peers.", nil, nil)
	segmentsDesc   = prometheus.NewDesc("p2pstream_proxy_segments_total", "Segments completed.", nil, nil)
	originDesc     = prometheus.NewDesc("p2pstream_proxy_origin_requests_total", "Segment requests to the origin.", nil, nil)
	peersDesc      = prometheus.NewDesc("p2pstream_proxy_peers", "Connections to peers.", nil, nil)
	storeDesc      = prometheus.NewDesc("p2pstream_proxy_store_bytes", "Bytes of segments held.", nil, nil)
	storeLimitDesc = prometheus.NewDesc("p2pstream_proxy_store_limit_bytes", "Most bytes of segments held.", nil, nil)
	limitsDesc     = prometheus.NewDesc("p2pstream_proxy_limit", "Limits, by what they bound.", []string{"of"}, nil)
	playlistsDesc  = prometheus.NewDesc("p2pstream_proxy_playlists", "Playlists held.", nil, nil)
	cacheDesc      = prometheus.NewDesc("p2pstream_proxy_cache_bytes", "Bytes cached of resources that are not segments.", nil, nil)
	fetchesDesc    = prometheus.NewDesc("p2pstream_proxy_resource_fetches", "Running fetches of resources that are not segments.", nil, nil)
	evictedDesc    = prometheus.NewDesc("p2pstream_proxy_store_evicted_total", "Segments dropped to make room.", nil, nil)
)

// Describe names the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{playersDesc, watchedDesc, receivedDesc, discardedDesc, uploadedDesc, segmentsDesc,
		originDesc, peersDesc, storeDesc, storeLimitDesc, evictedDesc, limitsDesc, playlistsDesc, cacheDesc, fetchesDesc} {
		ch <- d
	}
}

// Collect reads them.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	playing, watching := c.s.players.count()
	gauge(playersDesc, float64(playing))
	gauge(watchedDesc, float64(watching))
	for of, most := range map[string]int{
		"players": c.s.cfg.MaxPlayers, "requests": c.s.cfg.MaxRequests, "connections": maxConnections, "playlists": maxPlaylists,
		"cache_bytes": cacheBytes, "resource_fetches": maxFetches,
	} {
		ch <- prometheus.MustNewConstMetric(limitsDesc, prometheus.GaugeValue, float64(most), of)
	}
	gauge(playlistsDesc, float64(c.s.playlists.held()))
	kept, fetches := c.s.resources.stats()
	gauge(cacheDesc, float64(kept))
	gauge(fetchesDesc, float64(fetches))
	var n traffic.Counters
	var status loader.Status
	if engine := c.s.client.Engine(); engine != nil {
		n, status = engine.Counters(), engine.Status()
	}
	count(receivedDesc, n.HTTP, "http")
	count(receivedDesc, n.Seeder, "seeder")
	count(receivedDesc, n.Viewer, "viewer")
	count(discardedDesc, n.Discarded)
	count(uploadedDesc, n.Uploaded)
	count(segmentsDesc, n.Segments)
	count(originDesc, n.OriginRequests)
	gauge(peersDesc, float64(status.Peers))
	gauge(storeDesc, float64(status.Store.Bytes))
	gauge(storeLimitDesc, float64(status.Store.Limit))
	count(evictedDesc, status.Store.Evicted)
}
