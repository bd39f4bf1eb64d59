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
	descSpread        = desc("spread_segments_total", "Live segments held back from viewers because another one brings them, each once for each group of viewers.")
	descTold          = desc("spread_told_total", "Viewers that were chosen to bring such a segment into their group.", "why")
	descOpened        = desc("spread_opened_total", "Such segments that were offered to all after all, by reason.", "why")
	descGroupsOff     = desc("spread_groups_off_total", "Times that a group of viewers was found not to share.")
	descHeldBack      = desc("spread_held_back", "Segments held back now, counted for each viewer.")
	descGroups        = desc("spread_groups", "Groups of viewers from which segments are held back or were before they were found not to share.", "state")
	descChecked       = desc("checked_segments_total", "Segments from peers, by what the hashes of seeders told. Wrong and unproven ones were dropped.", "result")
	descCompared      = desc("compared_segments_total", "Segments that another seeder gave and a part of which was asked of the origin, by whether it gave other bytes.", "result")
)

// Describe names the metrics.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descPeers, descPeersLimit, descStore, descStoreLimit, descTransit, descTransitLimit, descTransitFull, descRenditions,
		descRendsLimit, descSegments, descSegmentsLimit, descAnnounced, descUploads, descExpired, descWaits, descBlamed, descCutOff,
		descChecked, descCompared, descSpread, descTold, descOpened, descGroupsOff, descHeldBack, descGroups,
	} {
		ch <- d
	}
}

// Collect reads them.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	sums := map[*prometheus.Desc]int64{}
	var disconnects [traffic.Reasons]int64
	var comparisons [traffic.Comparisons]int64
	var checks traffic.Counters
	var spread spreadCounts
	for _, e := range c.engines() {
		if e == nil {
			continue
		}
		e.addTo(sums)
		checks = checks.Add(e.Counters())
		spread.add(e)
		for o := range disconnects {
			disconnects[o] += e.counters.Disconnects[o].Load()
		}
		for o := range comparisons {
			comparisons[o] += e.counters.Comparisons[o].Load()
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
	for o, n := range comparisons {
		ch <- prometheus.MustNewConstMetric(descCompared, prometheus.CounterValue, float64(n), traffic.Comparison(o).String())
	}
	spread.collect(ch)
	for result, n := range map[string]int64{"right": checks.Checks.Right, "wrong": checks.Checks.Wrong,
		"unknown": checks.Checks.Unknown, "unproven": checks.Checks.Unproven} {
		ch <- prometheus.MustNewConstMetric(descChecked, prometheus.CounterValue, float64(n), result)
	}
}

// spreadCounts are how seeders told viewers of live segments.
type spreadCounts struct {
	segments, told, late, opened, unchosen, off int64
	heldBack, groups, groupsOff                 int
}

func (n *spreadCounts) add(e *Engine) {
	c := &e.counters.Spread
	n.segments += c.Segments.Load()
	n.told += c.Told.Load()
	n.late += c.Late.Load()
	n.opened += c.Opened.Load()
	n.unchosen += c.Unchosen.Load()
	n.off += c.GroupsOff.Load()
	for _, r := range e.Status().Renditions {
		n.heldBack += r.HeldBack
		n.groups += r.Groups
		n.groupsOff += r.GroupsOff
	}
}

func (n *spreadCounts) collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	count(descSpread, n.segments)
	count(descTold, n.told-n.late, "first")
	count(descTold, n.late, "late")
	count(descOpened, n.opened, "late")
	count(descOpened, n.unchosen, "no_choice")
	count(descGroupsOff, n.off)
	gauge(descHeldBack, n.heldBack)
	gauge(descGroups, n.groups-n.groupsOff, "on")
	gauge(descGroups, n.groupsOff, "off")
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
