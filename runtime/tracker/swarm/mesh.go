package swarm

import (
	"cmp"
	"slices"
	"time"
)

// Node is a socket in the map of a mesh.
type Node struct {
	Socket *Socket
	// Gateway says that it is one of its site in one of the swarms.
	Gateway bool
	// Since is when it joined the first of its swarms.
	Since time.Time
	order uint64 // of those that joined at the same time
}

// rank orders nodes by what they mean for others: seeders come first.
func (n Node) rank() int {
	switch {
	case n.Socket.Seeder:
		return 0
	case n.Gateway:
		return 1
	}
	return 2
}

// compareNodes orders nodes: seeders, gateways and others, of each those that came first. So the same ones are shown a moment later.
func compareNodes(a, b Node) int {
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), a.Since.Compare(b.Since), cmp.Compare(a.order, b.order))
}

// Mesh returns who is connected to whom, as far as the tracker can tell: an offer was relayed and answered, and nothing has shown
// since that it led to no connection. There are at most so many nodes, seeders first; links are pairs of them, each
// once. all is how many there would be without the bound.
func (c *Core) Mesh(most int) (nodes []Node, links [][2]int, all int) {
	known := map[*Socket]*Node{}
	for _, s := range c.swarms {
		for m, p := range s.members {
			n := known[m.sock]
			if n == nil {
				n = &Node{Socket: m.sock, Since: p.joined, order: p.order}
				known[m.sock] = n
			}
			n.Gateway = n.Gateway || p.isGateway()
			if p.joined.Before(n.Since) {
				n.Since, n.order = p.joined, p.order
			}
		}
	}
	nodes = make([]Node, 0, len(known))
	for _, n := range known {
		nodes = append(nodes, *n)
	}
	slices.SortFunc(nodes, compareNodes)
	all, nodes = len(nodes), nodes[:min(len(nodes), most)]
	numbers := make(map[*Socket]int, len(nodes))
	for i, n := range nodes {
		numbers[n.Socket] = i
	}
	seen := map[[2]int]bool{}
	for i, n := range nodes {
		for _, p := range n.Socket.peers {
			for k := range p.relations {
				r := &p.relations[k]
				j, listed := numbers[r.peer.sock]
				if !listed || j == i || !r.real() {
					continue
				}
				link := [2]int{min(i, j), max(i, j)}
				if !seen[link] {
					seen[link] = true
					links = append(links, link)
				}
			}
		}
	}
	return nodes, links, all
}
