package viewerapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi/settings"
)

// streamCollector reads at each scrape what is known of the stream and of its seeders.
type streamCollector struct {
	h                                     *Handler
	peerable, problem                     *prometheus.Desc
	seedersFresh, seedersHold, seedersLag *prometheus.Desc
}

func newStreamCollector(h *Handler) *streamCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("p2pstream_viewerapi_"+name, help, nil, nil)
	}
	return &streamCollector{
		h:            h,
		peerable:     desc("stream_peerable", "Whether viewers can share the stream: 1 or 0. Absent until it has been read."),
		problem:      desc("stream_problem", "Whether the last attempt to read the stream failed: 1 or 0."),
		seedersFresh: desc("reporting_seeders", "Seeders that reported within three intervals."),
		seedersHold:  desc("seeders_holding", "Seeders that hold the stream and have room for another viewer."),
		seedersLag:   desc("seeders_behind", "Reporting seeders that lack the newest segments of a live stream. Edge seeders are not counted."),
	}
}

// Describe names the metrics.
func (c *streamCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.peerable, c.problem, c.seedersFresh, c.seedersHold, c.seedersLag} {
		ch <- d
	}
}

// Collect reads them.
func (c *streamCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	now, facts := c.h.deps.Now(), c.h.facts()
	if facts.Peerable != nil {
		gauge(c.peerable, oneIf(*facts.Peerable))
	}
	gauge(c.problem, oneIf(facts.Problem != ""))
	gauge(c.seedersHold, float64(c.h.currentHolding(now).seeders))
	seeders := c.h.seedersNow(now)
	fresh := 0
	for _, s := range seeders {
		if s.Fresh {
			fresh++
		}
	}
	gauge(c.seedersFresh, float64(fresh))
	behind := map[string]bool{}
	for _, l := range settings.Behind(settings.HoldingInput{Playlist: facts.Playlist, ReadAt: facts.At, Seeders: seeders}, facts.Followed) {
		behind[l.Seeder] = true
	}
	gauge(c.seedersLag, float64(len(behind)))
}

func (h *Handler) seedersNow(now time.Time) []telemetry.SeederReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.aggregate.Seeders(now)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
