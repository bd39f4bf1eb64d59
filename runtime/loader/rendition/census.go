package rendition

import "github.com/p2pstream/p2pstream/runtime/loader/mesh"

// census is how many others take part in the swarm of the first generation. The rendition's owner has it.
type census struct {
	mesh.Census
	known bool // a tracker has said so
}

// counted takes what a tracker says of a swarm that was joined in a term.
func (r *Rendition) counted(c mesh.Census, term int64) {
	if term == r.swarms.term.Load() {
		r.census = census{c, true}
	}
}
