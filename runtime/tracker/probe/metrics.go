package probe

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// The limits at which something is left out of a look.
const (
	limitRenditions = "renditions"
	limitBytes      = "bytes"
	limitTime       = "time"
)

type metrics struct {
	looks   *prometheus.CounterVec
	skipped *prometheus.CounterVec
	bytes   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{
		looks: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_probe_looks_total",
			Help: "Looks at the stream in two sessions, by result."}, []string{"result"}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_probe_skipped_total",
			Help: "Renditions and segments that a look left out, by the limit that was reached."}, []string{"limit"}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_probe_bytes_total",
			Help: "Bytes of segments fetched to compare them."}),
	}
	for _, result := range []string{"ok", "failed"} {
		m.looks.WithLabelValues(result)
	}
	for _, limit := range []string{limitRenditions, limitBytes, limitTime} {
		m.skipped.WithLabelValues(limit)
	}
	for _, c := range []prometheus.Collector{m.looks, m.skipped, m.bytes} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}
