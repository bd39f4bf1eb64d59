package rendition

import "github.com/p2pstream/p2pstream/runtime/loader/identity"

// Unjoined tells whether the rendition could be in a swarm that it has not joined, because another rendition with the same
// identity had it, and that is free now.
func (r *Rendition) Unjoined(swarmID string, free func(identity.InfoHash) bool) bool {
	if r.shared.Node == nil || r.alone() {
		return false
	}
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	for _, g := range r.shared.Settings.Generations {
		hash := r.swarms.stream.InfoHash(g, r.shared.Settings.Asked.idFor(g, swarmID))
		if r.swarms.joined[g] == nil && hash != "" && free(hash) {
			return true
		}
	}
	return false
}
