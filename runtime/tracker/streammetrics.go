package tracker

import (
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

// streamMetrics are the metrics of one stream of a table, which go when it goes. /metrics has them with its labels.
type streamMetrics struct {
	labels prometheus.Labels
	own    *prometheus.Registry // refuses what is registered twice

	mu  sync.Mutex
	all []prometheus.Collector // with the labels
}

func newStreamMetrics(k table.Key) *streamMetrics {
	return &streamMetrics{labels: prometheus.Labels{"namespace": k.Namespace, "name": k.Name}, own: prometheus.NewRegistry()}
}

// Register implements prometheus.Registerer.
func (m *streamMetrics) Register(c prometheus.Collector) error {
	if err := m.own.Register(c); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, prometheus.WrapCollectorWith(m.labels, c))
	return nil
}

// MustRegister implements prometheus.Registerer.
func (m *streamMetrics) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := m.Register(c); err != nil {
			panic(err)
		}
	}
}

// Unregister implements prometheus.Registerer. The metrics of a stream go together.
func (m *streamMetrics) Unregister(prometheus.Collector) bool { return false }

func (m *streamMetrics) collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	all := m.all[:len(m.all):len(m.all)]
	m.mu.Unlock()
	for _, c := range all {
		c.Collect(ch)
	}
}

// sockets registers the counts of a stream's sockets.
func (m *streamMetrics) sockets(g *sockets.Group) error {
	for role, n := range map[string]func() int{"viewer": g.Viewers, "seeder": g.Seeders} {
		err := m.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_stream_sockets",
			Help: "Open WebSocket connections of a stream, by role.", ConstLabels: prometheus.Labels{"role": role}},
			func() float64 { return float64(n()) }))
		if err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}

// streamCollector has the metrics of all streams of a table. It describes none of them, because they come and go.
type streamCollector struct{ streams *streams }

// Describe implements prometheus.Collector.
func (streamCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c streamCollector) Collect(ch chan<- prometheus.Metric) {
	c.streams.each(func(st *stream) { st.metrics.collect(ch) })
}

// collectors are the metrics of a table.
func (s *streams) collectors() []prometheus.Collector {
	s.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_tables_refused_total",
		Help: "Tables of streams that were not taken, by reason."}, []string{"reason"})
	for _, reason := range tableReasons {
		s.refused.WithLabelValues(reason)
	}
	return []prometheus.Collector{streamCollector{s}, s.refused,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_streams", Help: "Streams in the table."},
			func() float64 { return float64(s.count()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_streams_without_swarm",
			Help: "Streams whose swarm an earlier stream of the table has."},
			func() float64 { return float64(s.claims.count()) }),
	}
}

// Reasons for which a table is not taken.
const (
	tableToken   = "token"
	tableBytes   = "bytes"
	tableInvalid = "invalid"
	tableFile    = "file"    // the file cannot be written
	tableDamaged = "damaged" // the file cannot be used at the start
	tableStopped = "draining"
	tableInitial = "initial" // the table to begin with cannot be used
)

var tableReasons = []string{tableToken, tableBytes, tableInvalid, tableFile, tableDamaged, tableStopped, tableInitial}

// count returns how many streams have no swarm of their own.
func (c *claims) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.taken)
}
