package tracker

import (
	"cmp"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// meshPart is what one shard knows of the mesh.
type meshPart struct {
	nodes []meshNode
	links [][2]int
	left  int // nodes that are not in it
}

// meshNode is a peer and whose it is: each shard has sockets of its own for one session.
type meshNode struct {
	stats.MeshPeer
	of    any
	since time.Time
}

// meshRanks orders kinds by what they mean for others.
var meshRanks = map[string]int{stats.MeshSeeder: 0, stats.MeshEdge: 0, stats.MeshGateway: 1, stats.MeshViewer: 2}

// meshWait is how long a shard may take to tell of the mesh. One that has much to do or has ended is left out.
const meshWait = 2 * time.Second

// mesh asks the shards who is connected to whom.
func (h *hub) mesh() stats.Mesh {
	deadline := time.NewTimer(meshWait)
	defer deadline.Stop()
	answers := make(chan meshPart, len(h.shards))
	asked := 0
	for _, s := range h.shards {
		select {
		case s.in <- &job{kind: jobMesh, mesh: answers}:
			asked++
		case <-deadline.C:
			return joinMesh(nil)
		}
	}
	var parts []meshPart
	for range asked {
		select {
		case part := <-answers:
			parts = append(parts, part)
		case <-deadline.C:
			return joinMesh(parts)
		}
	}
	return joinMesh(parts)
}

// tellMesh answers for a shard.
func (s *shard) tellMesh(to chan<- meshPart) {
	nodes, links, all := s.core.Mesh(stats.MaxMeshPeers)
	part := meshPart{links: links, left: all - len(nodes)}
	for _, n := range nodes {
		part.nodes = append(part.nodes, meshNode{stats.MeshPeer{Kind: meshKind(n), Site: n.Socket.Place.Site}, n.Socket.Ref, n.Since})
	}
	to <- part // it has room for the answers of all shards
}

// joinMesh makes one mesh of those of the shards.
func joinMesh(parts []meshPart) stats.Mesh {
	byOwner := map[any]*meshNode{}
	left := 0
	for _, part := range parts {
		left += part.left
		for _, n := range part.nodes {
			known := byOwner[n.of]
			if known == nil {
				byOwner[n.of] = &n
				continue
			}
			if meshRanks[n.Kind] < meshRanks[known.Kind] { // a gateway in one of its swarms
				known.Kind = n.Kind
			}
			if n.since.Before(known.since) {
				known.since = n.since
			}
		}
	}
	all := make([]meshNode, 0, len(byOwner))
	for _, n := range byOwner {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b meshNode) int {
		return cmp.Or(cmp.Compare(meshRanks[a.Kind], meshRanks[b.Kind]), a.since.Compare(b.since))
	})
	out := stats.Mesh{Peers: []stats.MeshPeer{}, Links: [][2]int{}}
	numbers := map[any]int{}
	for i, n := range all {
		if i == stats.MaxMeshPeers {
			break
		}
		numbers[n.of] = i
		out.Peers = append(out.Peers, n.MeshPeer)
	}
	// A peer that several shards leave out is counted several times; it is one more than is shown in any case.
	out.More = left + len(all) - len(out.Peers)
	seen := map[[2]int]bool{}
	for _, part := range parts {
		for _, link := range part.links {
			i, one := numbers[part.nodes[link[0]].of]
			j, two := numbers[part.nodes[link[1]].of]
			pair := [2]int{min(i, j), max(i, j)}
			if one && two && i != j && !seen[pair] {
				seen[pair] = true
				out.Links = append(out.Links, pair)
			}
		}
	}
	return out
}

func meshKind(n swarm.Node) string {
	switch {
	case n.Socket.Seeder && n.Socket.Place.Edge:
		return stats.MeshEdge
	case n.Socket.Seeder:
		return stats.MeshSeeder
	case n.Gateway:
		return stats.MeshGateway
	}
	return stats.MeshViewer
}
