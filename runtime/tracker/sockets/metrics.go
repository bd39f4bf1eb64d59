package sockets

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	opened, binary prometheus.Counter
	refused        *prometheus.CounterVec
	closed         [reasons]prometheus.Counter
}

// refusals are the reasons for which an upgrade is refused.
var refusals = []string{"unknown_stream", "origin", "token", "no_origin", "no_ticket", "forged_ticket", "expired_ticket",
	"ticket_of_other_page", "unknown_site", "other_site", "forged_join", "expired_join",
	"revoked_join", "sockets_per_ticket", "upgrade_rate", "upgrade_rate_of_address", "sockets", "sockets_of_stream", "sockets_per_address", "memory", "draining", "handshake"}

func newMetrics(s *Server, reg prometheus.Registerer) (*metrics, error) {
	closed := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_sockets_closed_total",
		Help: "WebSocket connections closed, by reason."}, []string{"reason"})
	m := &metrics{
		opened: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_tracker_sockets_opened_total",
			Help: "WebSocket connections opened."}),
		binary: prometheus.NewCounter(prometheus.CounterOpts{Name: "p2pstream_tracker_binary_messages_total",
			Help: "Binary WebSocket messages received; they are ignored."}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_tracker_sockets_refused_total",
			Help: "WebSocket upgrades refused, by limit or other reason."}, []string{"limit"}),
	}
	for _, limit := range refusals {
		m.refused.WithLabelValues(limit)
	}
	for r := range reasons {
		m.closed[r] = closed.WithLabelValues(r.String())
	}
	gauge := func(role string, v func() int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_sockets", Help: "Open WebSocket connections, by role.",
			ConstLabels: prometheus.Labels{"role": role}}, func() float64 { return float64(v()) })
	}
	held := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_sockets_held_bytes",
		Help: "Bytes of messages, queued frames and read buffers that all WebSocket connections hold, up to limits.heldBytes."},
		func() float64 { return float64(s.budget.used.Load()) })
	for _, c := range []prometheus.Collector{held, m.opened, m.binary, m.refused, closed,
		gauge("viewer", s.Viewers), gauge("seeder", s.Seeders)} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return m, nil
}
