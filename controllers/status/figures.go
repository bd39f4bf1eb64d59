package status

import (
	"math"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// enoughCoverage is the share of the viewers that must report before offload is stated.
const enoughCoverage = 0.2

// telemetryFresh tells whether the figures in status are current.
func telemetryFresh(m *moment) verdict {
	r := m.fresh()
	if r == nil && m.ReadingPending {
		return m.keep(v1.ConditionTelemetryFresh, unknown(v1.ReasonPending, "No figures have been read yet"))
	}
	if r == nil {
		if m.before.Offload == nil && m.Reading == nil {
			if m.ReadingProblem != "" && m.Tracker.Ready > 0 {
				return no(v1.ReasonStale, unread(m))
			}
			return unknown(v1.ReasonPending, "No figures have been read yet")
		}
		return no(v1.ReasonStale, unread(m))
	}
	s := r.Stats
	switch {
	case !m.known(s):
		return unknown(v1.ReasonPending, "The tracker has just started: not all viewers have reconnected yet")
	case s.Viewers <= 0:
		return yes(v1.ReasonNoViewers, "No viewers")
	case !covered(s):
		return yes(v1.ReasonLowCoverage, "Fewer than 20 % of the viewers send reports, so no offload is shown. Load the tracker's /p2pstream.js in the player page: it sends reports")
	}
	return yes(v1.ReasonReporting, "Viewers send reports")
}

func unread(m *moment) string {
	text := "The figures are out of date: the tracker does not answer the operator"
	if p := diagnose.Clean(m.ReadingProblem); p != "" {
		text += ": " + p
	}
	if m.Tracker.Ready > 0 {
		text += ". The tracker pod is ready, so check that network policies let the operator's pod reach TCP port 9090 of the tracker's pods"
	}
	return text
}

func covered(s stats.Stats) bool {
	return s.Viewers > 0 && float64(s.Reporting) >= enoughCoverage*float64(s.Viewers)
}

// figures fills in what the tracker counts. Figures that it does not report keep their last value; figures that cannot be
// known yet are left out.
func (m *moment) figures(out *v1.P2PStreamStatus) {
	out.Swarm, out.Offload, out.Renditions = m.before.Swarm, m.before.Offload.DeepCopy(), m.before.Renditions
	if r := m.fresh(); r != nil {
		out.Swarm = m.swarm(r.Stats)
		m.renditions(out, r.Stats)
		if m.known(r.Stats) {
			out.Offload = offload(r, out.Offload)
		}
	}
	if out.Offload == nil && len(m.Totals.Runs) > 0 {
		out.Offload = &v1.OffloadStatus{}
	}
	if o := out.Offload; o != nil {
		sums := m.Totals.Totals
		o.Totals, o.Runs = &sums, m.Totals.Runs
		if o.Since == nil {
			since := metav1.NewTime(m.now.Truncate(time.Second))
			o.Since = &since
		}
		if o.ObservedAt == nil {
			o.ObservedAt = o.Since
		}
	}
}

// swarm leaves out what a tracker that has just started does not know yet: its peers may not have reconnected.
func (m *moment) swarm(s stats.Stats) *v1.SwarmStatus {
	out := &v1.SwarmStatus{}
	if m.known(s) {
		out.Viewers, out.Peers = count(s.Viewers), count(s.Peers)
	}
	// A seeder that was deleted counts as reporting for a while, although its pod is gone.
	seeders := max(s.SeederSockets, min(s.Seeders, int(m.Seeders.Pods)))
	if s.ViewersKnown || seeders >= int(m.Seeders.Ready) {
		out.Seeders = count(seeders)
	}
	if *out == (v1.SwarmStatus{}) {
		return nil // an empty object would be written as null, which the API server refuses
	}
	return out
}

// offload over the tracker's window, with the totals' beginning of the one before.
func offload(r *Reading, before *v1.OffloadStatus) *v1.OffloadStatus {
	o := r.Stats.Offload
	at := metav1.NewTime(r.At.Truncate(time.Second))
	out := &v1.OffloadStatus{ObservedAt: &at, Reporting: *count(r.Stats.Reporting), PeerBytes: rounded(o.Window.Viewer),
		SeederBytes: rounded(o.Window.Seeder), OriginBytes: rounded(o.Window.HTTP)}
	if before != nil {
		out.Since = before.Since
	}
	if s := o.WindowSeconds; s > 0 && s < 1e6 {
		out.Window = &metav1.Duration{Duration: time.Duration(s * float64(time.Second)).Round(time.Second)}
	}
	if ratio, ok := o.Window.Offload(); ok && covered(r.Stats) {
		percent := int32(math.Round(100 * ratio))
		out.Percent = &percent
	}
	return out
}

const (
	maxRenditions = 64
	maxName       = 253
)

// renditions that the tracker knows; while it has not read the manifest, those of before.
func (m *moment) renditions(out *v1.P2PStreamStatus, s stats.Stats) {
	if len(s.Renditions) == 0 {
		return
	}
	if !m.known(s) && len(m.before.Renditions) > 0 {
		return // not all of their peers have reconnected
	}
	var list []v1.RenditionStatus
	seen := map[string]bool{}
	for _, r := range s.Renditions {
		if r.Name == "" || len(r.Name) > maxName || !printable(r.Name) || seen[r.Name] || len(list) == maxRenditions {
			continue
		}
		seen[r.Name] = true
		one := v1.RenditionStatus{Name: r.Name, Bandwidth: max(r.Bandwidth, 0), Peers: *count(r.Peers)}
		for generation, hash := range r.InfoHashes() {
			if len(hash) <= 64 && printable(hash) && len(generation) <= 16 && printable(generation) {
				if one.InfoHashes == nil {
					one.InfoHashes = map[string]string{}
				}
				one.InfoHashes[generation] = hash
			}
		}
		list = append(list, one)
	}
	out.Renditions = list
}

func count(n int) *int32 {
	bounded := int32(min(max(n, 0), math.MaxInt32))
	return &bounded
}

// rounded keeps three digits: more would change with every reading of a one-minute window, and each change is a write.
func rounded(n int64) int64 {
	n = max(n, 0)
	unit := int64(1)
	for n/unit >= 1000 {
		unit *= 10
	}
	return n / unit * unit
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7f || r == '\ufffd' {
			return false
		}
	}
	return true
}

// seeders counts pods, for the scale subresource.
func (m *moment) seeders() *v1.SeedersStatus {
	out := &v1.SeedersStatus{Replicas: m.Seeders.Pods, Ready: m.Seeders.Ready, Selector: m.SeederSelector, Scale: m.Sized.Status()}
	if m.Edges.Wanted > 0 || m.Edges.Pods > 0 {
		out.Edge = &v1.EdgeSeedersStatus{Replicas: m.Edges.Pods, Ready: m.Edges.Ready}
	}
	if out.Selector == "" && m.before.Seeders != nil {
		out.Selector = m.before.Seeders.Selector
	}
	return out
}
