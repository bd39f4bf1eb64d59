package poll

import "github.com/prometheus/client_golang/prometheus"

// Metrics of the pollers.
type Metrics struct {
	polls   *prometheus.CounterVec
	pollers prometheus.Gauge
	asking  prometheus.Gauge
	refused prometheus.Counter
	ears    prometheus.Gauge
	heard   prometheus.Counter
	unheard prometheus.Counter
}

// NewMetrics makes and registers them; a nil registerer registers nothing.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_operator_stats_polls_total", Help: "Requests for the stats of trackers, by result.",
		}, []string{"result"}),
		pollers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "p2pstream_operator_pollers", Help: "Trackers that are polled; at most 16384.",
		}),
		asking: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "p2pstream_operator_stats_polls_in_flight", Help: "Requests for stats that are waiting for an answer; at most 320.",
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "p2pstream_operator_pollers_refused_total", Help: "Trackers that were not polled because too many are.",
		}),
	}
	m.ears = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "p2pstream_operator_trackers_listened", Help: "Trackers that the operator listens to for the first viewers of streams that sleep; at most 4096.",
	})
	m.heard = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pstream_operator_arrivals_total", Help: "First viewers of streams that sleep, as trackers told them.",
	})
	m.unheard = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pstream_operator_trackers_unheard_total", Help: "Times that a tracker was not listened to because too many are.",
	})
	for _, result := range []string{"ok", "error"} {
		m.polls.WithLabelValues(result)
	}
	if reg != nil {
		reg.MustRegister(m.polls, m.pollers, m.asking, m.refused, m.ears, m.heard, m.unheard)
	}
	return m
}

func (m *Metrics) asked(err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	m.polls.WithLabelValues(result).Inc()
}
