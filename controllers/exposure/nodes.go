package exposure

import (
	"cmp"
	"net/netip"
	"slices"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// nodeHost is an address of a node, or one that the spec names.
type nodeHost struct {
	host     string
	starting bool
}

// nodeHosts are the addresses by which the pods of a component are reached on nodes: those that the spec names,
// without those of nodes that do not answer, or else the first address of each family of each node that does. An address of
// the spec that belongs to no known node is taken as it is: it may be that of a router in front. With everyNode, all nodes
// answer, whether they run a pod or not. The first addresses of all nodes come before the others.
func nodeHosts(c Component, s v1.ExposureSettings, nodes []Node, everyNode bool) []nodeHost {
	named := s.Addresses
	nodes = slices.SortedFunc(slices.Values(nodes), func(a, b Node) int { return cmp.Compare(a.Name, b.Name) })
	var hosts []nodeHost
	add := func(n Node, address string) {
		switch {
		case everyNode || n.ready(c):
			hosts = append(hosts, nodeHost{host: canonical(address)})
		case n.starting(c):
			hosts = append(hosts, nodeHost{host: canonical(address), starting: true})
		}
	}
	if len(named) > 0 {
		for _, a := range named {
			address := canonical(string(a))
			owner := slices.IndexFunc(nodes, func(n Node) bool {
				return slices.ContainsFunc(n.Addresses, func(other string) bool { return canonical(other) == address })
			})
			if owner < 0 {
				hosts = append(hosts, nodeHost{host: address})
				continue
			}
			add(nodes[owner], address)
		}
		return hosts
	}
	for place := range 2 {
		for _, n := range nodes {
			if own := Reached(n.Addresses, s.IPFamilies); len(own) > place {
				add(n, own[place])
			}
		}
	}
	return hosts
}

// Reached returns by which of a node's addresses viewers reach it: the first one of each family, of the given families if there
// are any. External addresses are expected before internal ones.
func Reached(addresses []string, families []v1.IPFamily) []string {
	var reached []string
	taken := map[v1.IPFamily]bool{}
	for _, text := range addresses {
		family := familyOf(text)
		if family == "" || taken[family] || len(families) > 0 && !slices.Contains(families, family) {
			continue
		}
		taken[family] = true
		reached = append(reached, canonical(text))
	}
	return reached
}

// familyOf is the family of an IP address; empty for anything else.
func familyOf(address string) v1.IPFamily {
	switch ip, err := netip.ParseAddr(address); {
	case err != nil:
		return ""
	case ip.Unmap().Is4():
		return v1.IPv4
	}
	return v1.IPv6
}
