package loader

import (
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// CheckWith makes a viewer or an edge seeder check each segment that comes from peers before it is stored, announced or given to a player.
// It is called before Run.
func (e *Engine) CheckWith(c *hashes.Checker) { e.shared.Checker = c }

// TellHashes makes a seeder note the hashes of what the origin gives. It is called before Run.
func (e *Engine) TellHashes(j *hashes.Journal) {
	e.shared.Journal = j
	j.OnDispute(e.lookAgain)
}

// lookAgain asks the origin once more for a segment of which another seeder has other bytes.
func (e *Engine) lookAgain(infoHash identity.InfoHash, id int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, r := range e.renditions {
		r.LookAgain(infoHash, id)
	}
}
