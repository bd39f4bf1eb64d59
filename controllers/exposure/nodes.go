package exposure

import (
	"cmp"
	"slices"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// nodeHost is an address of a node, or one that the spec names.
type nodeHost struct {
	host     string
	starting bool
}

// nodeHosts are the addresses by which the pods of a component are reached on nodes: those that the spec names,
// without those of nodes that do not answer, or else the first address of each node that does. An address of the spec
// that belongs to no known node is taken as it is: it may be that of a router in front. With everyNode, all nodes
// answer, whether they run a pod or not.
func nodeHosts(c Component, named []v1.IPAddress, nodes []Node, everyNode bool) []nodeHost {
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
	for _, n := range nodes {
		if len(n.Addresses) > 0 {
			add(n, n.Addresses[0])
		}
	}
	return hosts
}
