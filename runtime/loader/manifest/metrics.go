package manifest

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/originhttp"
)

// Results that are no failures; failures are labelled with their Reason.
const (
	resultChanged   = "changed"
	resultUnchanged = "unchanged"
	resultOK        = "ok"
	resultNoTime    = "noTime" // a failure too, of a clock
)

type metrics struct {
	playlists *prometheus.CounterVec
	segments  *prometheus.CounterVec
	bytes     *prometheus.CounterVec
	shortened *prometheus.CounterVec
	waits     *prometheus.CounterVec
	unasked   *prometheus.CounterVec
	cookies   *prometheus.CounterVec
	clocks    *prometheus.CounterVec
	tags      *prometheus.CounterVec
	detours   *prometheus.CounterVec
}

// newMetrics registers the counters; sources that share a registry share them.
func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := new(metrics)
	for _, c := range []struct {
		into              **prometheus.CounterVec
		name, help, label string
	}{
		{&m.playlists, "p2pstream_manifest_playlist_loads_total", "Manifest and media playlist loads by result.", "result"},
		{&m.segments, "p2pstream_manifest_segment_fetches_total", "Segment and initialization section fetches by result.", "result"},
		{&m.bytes, "p2pstream_manifest_received_bytes_total", "Body bytes received from the origin.", "kind"},
		{&m.shortened, "p2pstream_manifest_shortened_playlists_total", "Media playlist loads of which only the newest part was kept, by the bound that was reached.", "bound"},
		{&m.waits, "p2pstream_manifest_retry_after_total", "Answers of the origin that ask for time by Retry-After, by HTTP status.", "status"},
		{&m.unasked, "p2pstream_manifest_unasked_total", "Requests that were not sent because the host has answered 429 and its Retry-After is not over, by what was wanted.", "kind"},
		{&m.cookies, "p2pstream_manifest_dropped_cookies_total", "Cookies of origins that were not kept, by reason.", "reason"},
		{&m.clocks, "p2pstream_manifest_clock_answers_total", "Questions for the time to the clocks that live MPDs name, by result.", "result"},
		{&m.tags, "p2pstream_manifest_unused_validators_total", "ETags and modification times of playlists and manifests that are not used for conditional requests, by reason.", "reason"},
		{&m.detours, "p2pstream_manifest_detours_total", "Segments and other resources that were asked for at another URL of an MPD than their first one, by kind.", "kind"},
	} {
		vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: c.name, Help: c.help}, []string{c.label})
		if err := reg.Register(vec); err != nil {
			var already prometheus.AlreadyRegisteredError
			if !errors.As(err, &already) {
				return nil, fmt.Errorf("registering metric %s: %w", c.name, err)
			}
			existing, ok := already.ExistingCollector.(*prometheus.CounterVec)
			if !ok {
				return nil, fmt.Errorf("registering metric %s: %w", c.name, err)
			}
			vec = existing
		}
		*c.into = vec
	}
	// A series that is there before it first counts shows that there is something to count.
	for _, reason := range reasons {
		m.playlists.WithLabelValues(string(reason))
		m.segments.WithLabelValues(string(reason))
	}
	for _, result := range []string{resultChanged, resultUnchanged} {
		m.playlists.WithLabelValues(result)
	}
	for _, bound := range []string{boundSegments, boundURLs, boundText} {
		m.shortened.WithLabelValues(bound)
	}
	for _, kind := range []string{"playlist", "segment", "init"} {
		m.bytes.WithLabelValues(kind)
		m.unasked.WithLabelValues(kind)
		if kind != "playlist" {
			m.detours.WithLabelValues(kind)
		}
	}
	for _, result := range []string{resultOK, resultNoTime} {
		m.clocks.WithLabelValues(result)
	}
	for _, reason := range tagReasons {
		m.tags.WithLabelValues(reason)
	}
	for _, status := range []string{"429", "503"} {
		m.waits.WithLabelValues(status)
	}
	for _, reason := range originhttp.CookieReasons() {
		m.cookies.WithLabelValues(reason)
	}
	return m, nil
}
