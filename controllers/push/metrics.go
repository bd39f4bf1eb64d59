package push

import "github.com/prometheus/client_golang/prometheus"

// Metrics of all pushers.
type Metrics struct {
	pushes  *prometheus.CounterVec
	targets prometheus.Gauge
}

// NewMetrics makes and registers them; a nil registerer registers nothing.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_operator_table_pushes_total", Help: "Tables of streams sent to trackers of networks, by result.",
		}, []string{"result"}),
		targets: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "p2pstream_operator_table_trackers", Help: "Trackers of networks that get tables of streams.",
		}),
	}
	for _, result := range []string{resultOK, resultRefused, resultError, resultBeyond} {
		m.pushes.WithLabelValues(result)
	}
	if reg != nil {
		reg.MustRegister(m.pushes, m.targets)
	}
	return m
}

// Results of a push.
const (
	resultOK      = "ok"
	resultRefused = "refused" // the tracker has answered, and does not take the table
	resultError   = "error"   // there was no answer
	resultBeyond  = "beyond"  // there are more trackers than are served; nothing was sent
)
