package mesh

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Reasons that stand in the "reason" label of dropped, failed and closed connections.
const (
	reasonFull       = "full"
	reasonDuplicate  = "duplicate"
	reasonTie        = "tie"
	reasonSeeder     = "seeder"
	reasonQueue      = "queue"
	reasonStale      = "stale"
	reasonBadSDP     = "sdp"
	reasonTimeout    = "timeout"
	reasonICE        = "ice"
	reasonRemote     = "remote"
	reasonStall      = "stall"
	reasonLocal      = "local"
	reasonLeft       = "left"
	reasonUnanswered = "unanswered"
	reasonUnknown    = "unknown"
	reasonOwn        = "own"
	reasonMisuse     = "misuse"
)

// metrics are the node's counters. Nodes that share a registerer share them, so gauges only ever move
// by steps.
type metrics struct {
	peers             prometheus.Gauge
	opened            prometheus.Counter
	failed            *prometheus.CounterVec
	closed            *prometheus.CounterVec
	dropped           *prometheus.CounterVec
	handshakes        prometheus.Gauge
	queued            prometheus.Gauge
	offers            prometheus.Gauge
	sentBytes         prometheus.Counter
	receivedBytes     prometheus.Counter
	queueFull         prometheus.Counter
	stuck             prometheus.Counter
	sentPackets       prometheus.Counter
	sendCalls         prometheus.Counter
	trackerSockets    prometheus.Gauge
	trackerReconnects prometheus.Counter
	trackerMessages   *prometheus.CounterVec
	trackerDropped    prometheus.Counter
	trackerThrottled  prometheus.Counter
	channelsRefused   prometheus.Counter
	candidatesRefused prometheus.Counter
	handshakesLimit   prometheus.Gauge
	offersLimit       prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	r := registrar{reg: reg}
	m := &metrics{
		peers:             r.gauge("peers", "Open connections to other peers."),
		opened:            r.counter("peers_opened_total", "Connections that opened."),
		failed:            r.vec("attempts_failed_total", "Connections that never opened, by reason.", "reason"),
		closed:            r.vec("peers_closed_total", "Open connections that closed, by reason.", "reason"),
		dropped:           r.vec("signals_dropped_total", "Relayed offers and answers not acted on, by reason.", "reason"),
		handshakes:        r.gauge("handshakes", "Connections being set up."),
		queued:            r.gauge("handshakes_queued", "Relayed offers and answers that wait for a handshake slot."),
		offers:            r.gauge("offers_outstanding", "Own offers that are not answered yet."),
		sentBytes:         r.counter("sent_bytes_total", "Bytes of messages given to data channels."),
		receivedBytes:     r.counter("received_bytes_total", "Bytes of messages read from data channels."),
		stuck:             r.counter("connections_stuck_total", "Connections that could not be closed in an orderly way."),
		queueFull:         r.counter("queue_full_total", "Messages refused because the peer reads too slowly."),
		sentPackets:       r.counter("udp_packets_total", "Packets sent through the shared UDP port."),
		sendCalls:         r.counter("udp_send_calls_total", "System calls that sent them."),
		trackerSockets:    r.gauge("tracker_sockets", "Open tracker sockets."),
		trackerReconnects: r.counter("tracker_reconnects_total", "Dials of a tracker after the first."),
		trackerMessages:   r.vec("tracker_messages_total", "Messages from trackers, by kind.", "kind"),
		trackerDropped:    r.counter("tracker_dropped_total", "Messages to trackers not sent because the socket is too slow."),
		trackerThrottled:  r.counter("tracker_throttled_total", "Times that a tracker was read later because it sends too much."),
		channelsRefused:   r.counter("channels_refused_total", "Data channels beyond the first of a connection."),
		candidatesRefused: r.counter("candidates_refused_total", "Addresses at which a peer was not looked for."),
		handshakesLimit:   r.gauge("handshakes_limit", "Connections being set up at most."),
		offersLimit:       r.gauge("offers_limit", "Own offers that are not answered yet, at most."),
	}
	// A series that is there before it first counts shows that there is something to count.
	for _, reason := range []string{reasonQueue, reasonStale, reasonBadSDP, reasonTimeout, reasonICE, reasonRemote, reasonFull, reasonUnanswered} {
		m.failed.WithLabelValues(reason)
	}
	for _, reason := range []string{reasonRemote, reasonICE, reasonStall, reasonLeft, reasonLocal, reasonMisuse} {
		m.closed.WithLabelValues(reason)
	}
	for _, reason := range []string{reasonFull, reasonDuplicate, reasonTie, reasonSeeder, reasonOwn, reasonUnknown} {
		m.dropped.WithLabelValues(reason)
	}
	return m, r.err
}

type registrar struct {
	reg prometheus.Registerer
	err error
}

func (r *registrar) gauge(name, help string) prometheus.Gauge {
	return register(r, prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "p2pstream", Subsystem: "mesh", Name: name, Help: help}))
}

func (r *registrar) counter(name, help string) prometheus.Counter {
	return register(r, prometheus.NewCounter(prometheus.CounterOpts{Namespace: "p2pstream", Subsystem: "mesh", Name: name, Help: help}))
}

func (r *registrar) vec(name, help, label string) *prometheus.CounterVec {
	opts := prometheus.CounterOpts{Namespace: "p2pstream", Subsystem: "mesh", Name: name, Help: help}
	return register(r, prometheus.NewCounterVec(opts, []string{label}))
}

// register returns the collector that is registered under the name already, if there is one.
func register[T prometheus.Collector](r *registrar, c T) T {
	err := r.reg.Register(c)
	if err == nil {
		return c
	}
	var already prometheus.AlreadyRegisteredError
	if errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(T); ok {
			return existing
		}
	}
	r.err = errors.Join(r.err, err)
	return c
}
