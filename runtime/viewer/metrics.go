package viewer

import "github.com/prometheus/client_golang/prometheus"

// collector shows the sums over all viewers when Prometheus asks.
type collector struct{ s *Server }

var (
	viewersDesc    = prometheus.NewDesc("p2pstream_viewer_viewers", "Viewers started.", nil, nil)
	receivedDesc   = prometheus.NewDesc("p2pstream_viewer_received_bytes_total", "Media bytes received, by source.", []string{"source"}, nil)
	uploadedDesc   = prometheus.NewDesc("p2pstream_viewer_uploaded_bytes_total", "Media bytes handed to peers.", nil, nil)
	stallsDesc     = prometheus.NewDesc("p2pstream_viewer_stalls_total", "Playback stalls.", nil, nil)
	peersDesc      = prometheus.NewDesc("p2pstream_viewer_peers", "Connections to peers.", nil, nil)
	storeDesc      = prometheus.NewDesc("p2pstream_viewer_store_bytes", "Bytes of segments held.", nil, nil)
	storeLimitDesc = prometheus.NewDesc("p2pstream_viewer_store_limit_bytes", "Most bytes of segments held.", nil, nil)
)

// Describe names the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{viewersDesc, receivedDesc, uploadedDesc, stallsDesc, peersDesc, storeDesc, storeLimitDesc} {
		ch <- d
	}
}

// Collect reads them.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	report := c.s.Snapshot()
	var peers int
	for _, v := range report.Viewers {
		peers += v.Peers
	}
	held, limit := c.s.stores()
	gauge(viewersDesc, int64(len(report.Viewers)))
	count(receivedDesc, report.Total.Bytes.HTTP, "http")
	count(receivedDesc, report.Total.Bytes.Seeder, "seeder")
	count(receivedDesc, report.Total.Bytes.Viewer, "viewer")
	count(uploadedDesc, report.Total.UploadBytes)
	count(stallsDesc, int64(report.Total.Stalls))
	gauge(peersDesc, int64(peers))
	gauge(storeDesc, held)
	gauge(storeLimitDesc, limit)
}

// stores sums what all viewers hold, and may hold.
func (s *Server) stores() (held, limit int64) {
	s.mu.Lock()
	viewers := append([]*viewer(nil), s.viewers...)
	s.mu.Unlock()
	for _, v := range viewers {
		if engine := v.Engine(); engine != nil {
			st := engine.Status().Store
			held += st.Bytes
			limit += st.Limit
		}
	}
	return held, limit
}
