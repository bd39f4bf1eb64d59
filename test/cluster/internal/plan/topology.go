package plan

import "fmt"

// IPBatch is a list of `ip -batch` lines for one network namespace; an empty Netns is the host's own.
type IPBatch struct {
	Netns string
	Lines []string
}

// Topology are the lines for `ip -batch`, in order, for namespaces that exist. The host gets one
// interface and one route, nothing else.
func (c Cluster) Topology() []IPBatch {
	wan := IPBatch{Netns: c.Netns(WAN), Lines: []string{
		"link set lo up",
		"link add wan type bridge",
		fmt.Sprintf("addr add %s/17 dev wan", c.WANIP()),
		"link set wan up",
	}}
	batches := []IPBatch{wan, c.plug(ControlPlane, c.ControlPlaneIP())}
	for _, n := range c.Nodes() {
		batches = append(batches, c.plug(n.Name, n.IP))
	}
	batches = append(batches, IPBatch{Lines: []string{
		fmt.Sprintf("link add %s type veth peer name host netns %s", c.HostInterface(), c.Netns(WAN)),
		fmt.Sprintf("addr add %s/17 dev %s", c.HostIP(), c.HostInterface()),
		fmt.Sprintf("link set %s up", c.HostInterface()),
	}})

	ports := IPBatch{Netns: c.Netns(WAN), Lines: []string{"link set host master wan up", "link set n0 master wan up"}}
	for _, n := range c.Nodes() {
		ports.Lines = append(ports.Lines,
			fmt.Sprintf("link set %s master wan up", n.Name),
			fmt.Sprintf("route add %s via %s", n.PodCIDR, n.IP))
	}
	batches = append(batches, ports, c.routes(ControlPlane))
	for _, n := range c.Nodes() {
		if c.NodeCount > 1 {
			batches = append(batches, c.routes(n.Name))
		}
	}
	return append(batches, IPBatch{Lines: []string{
		fmt.Sprintf("route add %s via %s dev %s", c.OfficesCIDR(), c.WANIP(), c.HostInterface()),
	}})
}

// plug connects a namespace to the WAN. The far end is named after the namespace.
func (c Cluster) plug(place, ip string) IPBatch {
	return IPBatch{Netns: c.Netns(place), Lines: []string{
		"link set lo up",
		fmt.Sprintf("link add eth0 type veth peer name %s netns %s", place, c.Netns(WAN)),
		fmt.Sprintf("addr add %s/17 dev eth0", ip),
		"link set eth0 up",
		fmt.Sprintf("route add default via %s", c.WANIP()),
	}}
}

// routes sends packets for pods of other nodes directly to those nodes.
func (c Cluster) routes(place string) IPBatch {
	batch := IPBatch{Netns: c.Netns(place)}
	for _, n := range c.Nodes() {
		if n.Name != place {
			batch.Lines = append(batch.Lines, fmt.Sprintf("route add %s via %s", n.PodCIDR, n.IP))
		}
	}
	return batch
}

// OfficeTopology are the lines for `ip -batch` that make a new office.
func (c Cluster) OfficeTopology(o Office) []IPBatch {
	return []IPBatch{
		{Netns: c.OfficeNetns(o.Name), Lines: []string{
			"link set lo up",
			fmt.Sprintf("link add eth0 type veth peer name %s netns %s", o.Interface(), c.Netns(WAN)),
			fmt.Sprintf("addr add %s/24 dev eth0", c.OfficeIP(o.Index)),
			"link set eth0 up",
		}},
		{Netns: c.Netns(WAN), Lines: []string{
			fmt.Sprintf("addr add %s/24 dev %s", c.OfficeGateway(o.Index), o.Interface()),
			fmt.Sprintf("link set %s up", o.Interface()),
		}},
		{Netns: c.OfficeNetns(o.Name), Lines: []string{
			fmt.Sprintf("route add default via %s", c.OfficeGateway(o.Index)),
		}},
	}
}

// MasqueradeFilter is the nft script for a node's namespace that hides its pods behind the node's
// address whenever they leave the cluster, or stops doing so. It may be applied any number of times.
//
// TCP to the host is always masqueraded: origins often run on the host, which has no route to pods because all
// clusters use the same pod addresses. UDP is not, so that a viewer on the host sees no other address than one elsewhere.
func (c Cluster) MasqueradeFilter(n Node, on bool) string {
	rule := fmt.Sprintf("ip saddr %s ip daddr %s meta l4proto tcp masquerade", n.PodCIDR, c.HostIP())
	if on {
		rule = fmt.Sprintf("ip saddr %s ip daddr != %s masquerade", n.PodCIDR, PodCIDR)
	}
	return fmt.Sprintf(`table ip p2pstream_masquerade
delete table ip p2pstream_masquerade
table ip p2pstream_masquerade {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		%s
	}
}
`, rule)
}
