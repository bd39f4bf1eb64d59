package stats

// MaxMeshPeers is how many peers a Mesh has.
const MaxMeshPeers = 200

// Kinds of peers in a Mesh.
const (
	MeshSeeder  = "seeder"
	MeshEdge    = "edge" // a seeder inside of a site
	MeshGateway = "gateway"
	MeshViewer  = "viewer"
)

// Mesh says who is connected to whom, without naming anyone: a peer is a number, its kind and its site. A pair counts as connected
// once an offer of one was answered by the other, until something shows that it led to no connection. The tracker does not see
// connections themselves, so one that has ended since may still be there.
type Mesh struct {
	Peers []MeshPeer `json:"peers"` // seeders first, then gateways, then viewers, of each those that came first
	Links [][2]int   `json:"links"` // pairs of numbers of Peers, each once
	More  int        `json:"more"`  // peers that are left out, with their links
}

// MeshPeer is one peer.
type MeshPeer struct {
	Kind string `json:"kind"`
	Site string `json:"site,omitempty"` // empty: it is in no site
}
