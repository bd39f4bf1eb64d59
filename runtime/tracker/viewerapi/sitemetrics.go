package viewerapi

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// maxSiteLabels is how many sites metrics name; the rest is summed as telemetry.OtherSite.
const maxSiteLabels = 50

// siteLabels are the sites that counters name. The first sites with traffic keep their labels, because a counter that moved
// from one label to another would seem to fall.
type siteLabels struct {
	mu    sync.Mutex
	named map[string]bool
}

func (l *siteLabels) of(site string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.named[site] {
		if len(l.named) >= maxSiteLabels {
			return telemetry.OtherSite
		}
		if l.named == nil {
			l.named = map[string]bool{}
		}
		l.named[site] = true
	}
	return site
}

func (l *siteLabels) count() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return float64(len(l.named))
}

// siteBytes counts what came to viewers of a site, by source.
func (m *metrics) siteBytes(site string, played []telemetry.Played) {
	var sum telemetry.Sources
	for _, p := range played {
		sum = sum.Add(p.Sources)
	}
	for source, n := range map[string]int64{"origin": sum.Origin, "seeder_inside": sum.SeederInside, "seeder_outside": sum.SeederOutside,
		"viewer_inside": sum.ViewerInside, "viewer_outside": sum.ViewerOutside} {
		m.sites.WithLabelValues(site, source).Add(float64(n))
	}
}

// siteCollector reads the figures of the sites with most traffic at each scrape.
type siteCollector struct {
	h                     *Handler
	viewers, copies, line *prometheus.Desc
	folded, foldedCells   *prometheus.Desc
	labels                *prometheus.Desc
}

func newSiteCollector(h *Handler) *siteCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("p2pstream_viewerapi_"+name, help, labels, nil)
	}
	return &siteCollector{
		h:           h,
		viewers:     desc("site_viewers", "Viewers of a site, of the 50 sites with most traffic; the others are summed as other.", "site"),
		copies:      desc("site_copies", "How many times what is played at a site came over its line, over the last minute.", "site"),
		line:        desc("site_line_bits_per_second", "Rate of the media bytes that came over the line of a site, over the last minute.", "site"),
		folded:      desc("sites_folded_total", "Reports that were summed under the site other, because there were too many sites."),
		foldedCells: desc("site_renditions_folded_total", "Sums of renditions that were made under the name other, because there were too many."),
		labels:      desc("site_labels", "Sites that counters name."),
	}
}

// Describe names the metrics.
func (c *siteCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.viewers, c.copies, c.line, c.folded, c.foldedCells, c.labels} {
		ch <- d
	}
}

// Collect reads them.
func (c *siteCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, site string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, site)
	}
	for _, s := range c.h.sitesNow(c.h.deps.Now(), maxSiteLabels) {
		gauge(c.viewers, float64(s.Viewers), s.Name)
		gauge(c.line, float64(s.LineBitsPerSecond), s.Name)
		if s.Copies != nil {
			gauge(c.copies, *s.Copies, s.Name)
		}
	}
	c.h.mu.Lock()
	sites, cells := c.h.aggregate.Folded()
	c.h.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(c.folded, prometheus.CounterValue, float64(sites))
	ch <- prometheus.MustNewConstMetric(c.foldedCells, prometheus.CounterValue, float64(cells))
	ch <- prometheus.MustNewConstMetric(c.labels, prometheus.GaugeValue, c.h.metrics.labels.count())
}
