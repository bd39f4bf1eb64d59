package loader

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// NewCollector returns metrics of what engines hold, of its bounds, and of the peers that were disconnected: sums over
// all engines that the function returns at each scrape. Nil engines are left out.
func NewCollector(engines func() []*Engine) prometheus.Collector { return &collector{engines} }

type collector struct{ engines func() []*Engine }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("p2pstream_loader_"+name, help, labels, nil)
}

var (
	descPeers         = desc("peers", "Open connections.")
	descPeersLimit    = desc("peers_limit", "Most open connections.")
	descStore         = desc("store_bytes", "Bytes of segments held.")
	descStoreLimit    = desc("store_limit_bytes", "Most bytes of segments held.")
	descTransit       = desc("transit_bytes", "Bytes of unfinished segments.")
	descTransitLimit  = desc("transit_limit_bytes", "Most bytes of unfinished segments.")
	descTransitFull   = desc("transit_refused_total", "Transfers given up because too many bytes were in transit.")
	descRenditions    = desc("renditions", "Renditions followed.")
	descRendsLimit    = desc("renditions_limit", "Most renditions followed.")
	descSegments      = desc("segments", "Segments known.")
	descSegmentsLimit = desc("segments_limit", "Most segments known.")
	descAnnounced     = desc("announced_segments", "Segments of the playlists that connected peers announce.")
	descUploads       = desc("uploads", "Running uploads; at most one for each connection.")
	descExpired       = desc("uploads_expired_total", "Uploads ended because the peer read too slowly.")
	descWaits         = desc("waits", "Players' requests that wait for bytes.")
	descBlamed        = desc("peers_blamed_total", "Times that a peer did not deliver what it announced and was avoided for a while.")
	descCutOff        = desc("peers_cut_off_total", "Peers disconnected, by reason.", "reason")
	descChecked       = desc("checked_segments_total", "Segments from peers, by what the hashes of seeders told. Wrong and unproven ones were dropped.", "result")
)

// Describe names the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descPeers, descPeersLimit, descStore, descStoreLimit, descTransit, descTransitLimit, descTransitFull, descRenditions,
		descRendsLimit, descSegments, descSegmentsLimit, descAnnounced, descUploads, descExpired, descWaits, descBlamed, descCutOff,
		descChecked,
	} {
		ch <- d
	}
}

// Collect reads them.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	sums := map[*prometheus.Desc]int64{}
	var disconnects [traffic.Reasons]int64
	var checks traffic.Counters
	for _, e := range c.engines() {
		if e == nil {
			continue
		}
		e.addTo(sums)
		checks = checks.Add(e.Counters())
		for o := range disconnects {
			disconnects[o] += e.counters.Disconnects[o].Load()
		}
	}
	for _, d := range []*prometheus.Desc{descPeers, descPeersLimit, descStore, descStoreLimit, descTransit, descTransitLimit,
		descRenditions, descRendsLimit, descSegments, descSegmentsLimit, descAnnounced, descUploads, descWaits} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(sums[d]))
	}
	for _, d := range []*prometheus.Desc{descTransitFull, descExpired, descBlamed} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(sums[d]))
	}
	for o, n := range disconnects {
		ch <- prometheus.MustNewConstMetric(descCutOff, prometheus.CounterValue, float64(n), traffic.Reason(o).String())
	}
	for result, n := range map[string]int64{"right": checks.Checks.Right, "wrong": checks.Checks.Wrong,
		"unknown": checks.Checks.Unknown, "unproven": checks.Checks.Unproven} {
		ch <- prometheus.MustNewConstMetric(descChecked, prometheus.CounterValue, float64(n), result)
	}
}

func (e *Engine) addTo(sums map[*prometheus.Desc]int64) {
	status := e.Status()
	sums[descPeers] += int64(status.Peers)
	sums[descPeersLimit] += int64(e.cfg.MaxPeers)
	sums[descStore] += status.Store.Bytes
	sums[descStoreLimit] += status.Store.Limit
	used, limit, refused := e.shared.Transit.Stats()
	sums[descTransit] += used
	sums[descTransitLimit] += limit
	sums[descTransitFull] += refused
	sums[descRenditions] += int64(len(status.Renditions))
	sums[descRendsLimit] += MaxRenditions
	sums[descSegments] += e.segments.Load()
	sums[descSegmentsLimit] += MaxSegments
	for _, r := range status.Renditions {
		sums[descAnnounced] += int64(r.Announced)
		sums[descWaits] += int64(r.Waits)
	}
	sums[descUploads] += int64(e.shared.Uplink.Active())
	sums[descExpired] += e.counters.UploadsExpired.Load()
	sums[descBlamed] += e.counters.PeersBlamed.Load()
}
