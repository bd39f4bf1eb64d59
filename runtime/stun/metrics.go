package stun

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics holds the counters by transport, resolved once so that counting a
// packet needs no map.
type metrics struct {
	udp, tcp transportMetrics
	udpErrs  *prometheus.CounterVec
	conns    prometheus.Gauge
	refused  *prometheus.CounterVec
}

// refusals are the reasons for which a TCP connection is closed early.
var refusals = []string{"accept", "closing", "total_limit", "source_limit", "framing", "idle", "rate_limit"}

type transportMetrics struct {
	messages [outcomes]prometheus.Counter
	limited  prometheus.Counter
	received prometheus.Counter
	sent     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, limit *limiter) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "p2pstream_stun_" + name, Help: help}, labels)
	}
	messages := counter("messages_total", "Messages read, by outcome.", "transport", "outcome")
	limited := counter("rate_limited_total", "Messages dropped because their source exceeded its rate limit.", "transport")
	received := counter("received_bytes_total", "Bytes of messages read.", "transport")
	sent := counter("sent_bytes_total", "Bytes of answers written.", "transport")
	errs := counter("socket_errors_total", "Failed reads and writes of UDP sockets.", "operation")
	refused := counter("tcp_refused_total", "TCP connections closed early, by reason.", "reason")
	for _, reason := range refusals {
		refused.WithLabelValues(reason)
	}
	conns := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "p2pstream_stun_tcp_connections", Help: "Open TCP connections."})
	evicted := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "p2pstream_stun_rate_table_evictions_total",
		Help: "Sources removed from the full rate limit table to make room for new ones.",
	}, func() float64 { return float64(limit.evictions()) })

	var err error
	for _, c := range []prometheus.Collector{messages, limited, received, sent, errs, refused, conns, evicted} {
		err = errors.Join(err, reg.Register(c))
	}
	if err != nil {
		return nil, err
	}
	transport := func(name string) (t transportMetrics) {
		for o := range outcomes {
			t.messages[o] = messages.WithLabelValues(name, o.String())
		}
		t.limited = limited.WithLabelValues(name)
		t.received = received.WithLabelValues(name)
		t.sent = sent.WithLabelValues(name)
		return t
	}
	return &metrics{udp: transport("udp"), tcp: transport("tcp"), udpErrs: errs, conns: conns, refused: refused}, nil
}
