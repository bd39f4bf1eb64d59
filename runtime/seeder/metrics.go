package seeder

import "github.com/prometheus/client_golang/prometheus"

// collector reads the engine's counters when Prometheus asks.
type collector struct{ s *Server }

var (
	descPeers     = prometheus.NewDesc("p2pstream_seeder_peers", "Open connections.", nil, nil)
	descMaxPeers  = prometheus.NewDesc("p2pstream_seeder_peers_limit", "Connections at most.", nil, nil)
	descUploaded  = prometheus.NewDesc("p2pstream_seeder_uploaded_bytes_total", "Media bytes handed to peers.", nil, nil)
	descFetched   = prometheus.NewDesc("p2pstream_seeder_origin_bytes_total", "Media bytes fetched from the origin.", nil, nil)
	descPeerBytes = prometheus.NewDesc("p2pstream_seeder_peer_bytes_total", "Media bytes received from other seeders.", nil, nil)
	descRequests  = prometheus.NewDesc("p2pstream_seeder_origin_requests_total", "Segment requests to the origin.", nil, nil)
	descDiscarded = prometheus.NewDesc("p2pstream_seeder_discarded_bytes_total", "Media bytes received and not used.", nil, nil)
	descStore     = prometheus.NewDesc("p2pstream_seeder_store_bytes", "Bytes of segments held.", nil, nil)
	descStoreMax  = prometheus.NewDesc("p2pstream_seeder_store_limit_bytes", "Bytes of segments at most.", nil, nil)
	descEvicted   = prometheus.NewDesc("p2pstream_seeder_store_evicted_total", "Segments evicted to make room.", nil, nil)
	descHeldEdge  = prometheus.NewDesc("p2pstream_seeder_held_edge", "Media sequence of the newest segment held.", []string{"rendition"}, nil)
	descBehind    = prometheus.NewDesc("p2pstream_seeder_segments_missing", "Segments of the playlist not held.", []string{"rendition"}, nil)
	descRefused   = prometheus.NewDesc("p2pstream_seeder_requests_absent_total", "Peers' requests for segments not held.", nil, nil)
	descFloods    = prometheus.NewDesc("p2pstream_seeder_command_floods_total", "Peers cut off for too many commands.", nil, nil)
	descFailures  = prometheus.NewDesc("p2pstream_seeder_origin_failures_total", "Segment fetches that failed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v int64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v))
	}
	if !c.s.isOpen() {
		return
	}
	status, n, trouble := c.s.engine.Status(), c.s.engine.Counters(), c.s.engine.Problems()
	gauge(descPeers, float64(status.Peers))
	gauge(descMaxPeers, float64(c.s.cfg.MaxPeers))
	count(descUploaded, n.Uploaded)
	count(descFetched, n.HTTP)
	count(descPeerBytes, n.Seeder)
	count(descRequests, n.OriginRequests)
	count(descDiscarded, n.Discarded)
	gauge(descStore, float64(status.Store.Bytes))
	gauge(descStoreMax, float64(status.Store.Limit))
	count(descEvicted, status.Store.Evicted)
	count(descRefused, trouble.RequestsAbsent)
	count(descFloods, trouble.CommandFloods)
	count(descFailures, trouble.OriginFailures)
	for _, r := range status.Renditions {
		gauge(descHeldEdge, float64(r.HeldEdge), r.Name)
		gauge(descBehind, float64(r.Known-r.Held), r.Name)
	}
}
