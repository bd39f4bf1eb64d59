package tracker

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/descriptions"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// hidingSites is how many sites with hidden addresses are named in statistics.
const hidingSites = 50

// hiding sums up the viewers of one site.
type hiding struct {
	stats.HidingSite
	subnet netip.Prefix // of the first hidden viewer
}

// localAddresses says how the viewers of sites give their own addresses; nil without sites.
func (h *hub) localAddresses() *stats.LocalAddresses {
	sessions, ok := h.places.all()
	if !ok {
		return nil
	}
	out, bySite := &stats.LocalAddresses{}, map[string]*hiding{}
	for _, s := range sessions {
		hosts, place := descriptions.Hosts(s.hosts.Load()), s.place.Load()
		if hosts == descriptions.NoHosts || s.client.Seeder || place.Site == "" || place.Peering == sites.Off {
			continue
		}
		site := bySite[place.Site]
		if site == nil {
			site = &hiding{HidingSite: stats.HidingSite{Site: place.Site}}
			bySite[place.Site] = site
		}
		site.add(hosts, s.client.Remote)
	}
	for _, site := range bySite {
		out.Viewers += site.Viewers
		out.Hidden += site.Hidden
		out.Reflected += site.Reflected
		if site.Divided(false) {
			out.Divided++
		}
		if site.Hidden > 0 {
			out.Sites = append(out.Sites, site.HidingSite)
		}
	}
	slices.SortFunc(out.Sites, func(a, b stats.HidingSite) int {
		return cmp.Or(cmp.Compare(b.Hidden, a.Hidden), cmp.Compare(a.Site, b.Site))
	})
	if out.Others = max(0, len(out.Sites)-hidingSites); out.Others > 0 {
		out.Sites = slices.Clone(out.Sites[:hidingSites])
	}
	return out
}

// add counts one viewer.
func (h *hiding) add(hosts descriptions.Hosts, remote netip.Addr) {
	h.Viewers++
	switch hosts {
	case descriptions.HostsReflected:
		h.Reflected++
	case descriptions.HostsHidden:
		h.Hidden++
		subnet := subnetOf(remote)
		if h.Hidden == 1 {
			h.subnet = subnet
		}
		h.Subnets = h.Subnets || subnet != h.subnet
	}
}

// subnetOf is the subnet that an address is probably in. How long its prefix is, only the network's owner knows; those of
// desks are seldom longer, and where they are shorter, a site may be taken to have several.
func subnetOf(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	bits := 64
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil { // an address that is not known; all of these count as one subnet
		return netip.Prefix{}
	}
	return p
}

// all returns the open sessions; ok is false without sites.
func (p *places) all() (list []*session, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		return nil, false
	}
	list = make([]*session, 0, len(p.sessions))
	for s := range p.sessions {
		list = append(list, s)
	}
	return list, true
}

// addressMetrics exports localAddresses.
type addressMetrics struct {
	read           func() *stats.LocalAddresses
	viewers, sites *prometheus.Desc
}

func registerAddressMetrics(h *hub, reg prometheus.Registerer) error {
	err := reg.Register(&addressMetrics{read: h.localAddresses,
		viewers: prometheus.NewDesc("p2pstream_tracker_local_addresses", "Viewers of sites that have made offers, by how these give the addresses "+
			"of their own network: shown, hidden behind .local names, or hidden and told by a STUN server in that network (reflected).", []string{"addresses"}, nil),
		sites: prometheus.NewDesc("p2pstream_tracker_divided_sites", "Sites whose viewers in different subnets probably do not reach each other, "+
			"because most of them hide their addresses.", nil, nil)})
	if err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	return nil
}

// Describe implements prometheus.Collector.
func (m *addressMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- m.viewers
	to <- m.sites
}

// Collect implements prometheus.Collector.
func (m *addressMetrics) Collect(to chan<- prometheus.Metric) {
	a := m.read()
	if a == nil {
		a = &stats.LocalAddresses{}
	}
	for label, n := range map[string]int{"shown": a.Viewers - a.Hidden - a.Reflected, "hidden": a.Hidden, "reflected": a.Reflected} {
		to <- prometheus.MustNewConstMetric(m.viewers, prometheus.GaugeValue, float64(n), label)
	}
	to <- prometheus.MustNewConstMetric(m.sites, prometheus.GaugeValue, float64(a.Divided))
}
