package controllers

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/push"
)

// Metrics of the operator. Each counts what is its own; what streams do is told by their trackers.
type Metrics struct {
	phases *prometheus.HistogramVec
	polls  *poll.Metrics
	pushes *push.Metrics
	events *prometheus.CounterVec
	writes *prometheus.CounterVec
	status *prometheus.CounterVec

	upgrades *prometheus.GaugeVec
}

// NewMetrics makes and registers them; a nil registerer registers nothing.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		phases: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "p2pstream_operator_phase_seconds", Help: "Time that each phase of a reconcile run takes.",
			Buckets: []float64{0.0001, 0.001, 0.005, 0.02, 0.1, 0.5, 2, 5},
		}, []string{"phase"}),
		polls:  poll.NewMetrics(reg),
		pushes: push.NewMetrics(reg),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_operator_event_lists_total", Help: "Requests for the events about an object that waits, by result.",
		}, []string{"result"}),
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_operator_child_writes_total", Help: "Children applied and deleted, by kind and result.",
		}, []string{"verb", "kind", "result"}),
		status: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "p2pstream_operator_status_writes_total", Help: "Statuses written, by result.",
		}, []string{"result"}),
	}
	m.upgrades = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "p2pstream_operator_upgrades", Help: "Streams whose pods are being replaced by those of this version of the operator, and streams that wait for it.",
	}, []string{"phase"})
	for _, phase := range []string{"running", "waiting"} {
		m.upgrades.WithLabelValues(phase)
	}
	for _, result := range []string{"ok", "conflict", "error"} {
		m.status.WithLabelValues(result)
	}
	for _, result := range []string{"ok", "error"} {
		m.events.WithLabelValues(result)
	}
	if reg != nil {
		reg.MustRegister(m.phases, m.events, m.writes, m.status, m.upgrades)
	}
	return m
}

func (m *Metrics) phase(name string, now func() time.Time) func() {
	began := now()
	return func() { m.phases.WithLabelValues(name).Observe(now().Sub(began).Seconds()) }
}

func (m *Metrics) eventsRead(err error)    { m.events.WithLabelValues(result(err)).Inc() }
func (m *Metrics) statusWritten(err error) { m.status.WithLabelValues(result(err)).Inc() }
func (m *Metrics) wrote(verb, kind, result string) {
	m.writes.WithLabelValues(verb, kind, result).Inc()
}

func result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case apierrors.IsConflict(err):
		return "conflict" // the stream changed in the meantime: the status is made again from the new version
	}
	return "error"
}

// streams counts streams by condition at the time of a scrape, out of the cache: nothing is left behind of
// those that are gone.
type streams struct {
	reader  client.Reader
	elected <-chan struct{}
	desc    *prometheus.Desc
}

// NewStreams returns the collector of p2pstream_operator_streams. Only the operator that is elected counts them:
// those that wait for their turn would count them once more.
func NewStreams(reader client.Reader, elected <-chan struct{}) prometheus.Collector {
	return &streams{reader, elected, prometheus.NewDesc("p2pstream_operator_streams",
		"Streams by condition, its status and its reason.", []string{"condition", "status", "reason"}, nil)}
}

// Describe implements prometheus.Collector.
func (s *streams) Describe(ch chan<- *prometheus.Desc) { ch <- s.desc }

// Collect implements prometheus.Collector.
func (s *streams) Collect(ch chan<- prometheus.Metric) {
	select {
	case <-s.elected:
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var list v1.P2PStreamList
	if err := s.reader.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return // the cache has not started: nothing is known, which is not the same as zero
	}
	type key struct{ condition, status, reason string }
	counts := map[key]int{}
	for _, stream := range list.Items {
		for _, c := range stream.Status.Conditions {
			counts[key{c.Type, string(c.Status), c.Reason}]++
		}
	}
	for k, n := range counts {
		ch <- prometheus.MustNewConstMetric(s.desc, prometheus.GaugeValue, float64(n), k.condition, k.status, k.reason)
	}
}
