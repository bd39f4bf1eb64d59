package rendition

import (
	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/core"
)

// Compare asks the origin for a part of a segment that another seeder gave. Where that differs, it asks for all of it, and tells the
// trackers: of different hashes they have the origin decide. Of an origin that gives whole files only, the first segment is read.
func (d driver) Compare(seg *core.Segment, data []byte) {
	r := d.r
	if r.shared.Journal == nil {
		return
	}
	first := !r.compared
	r.compared = true
	m := seg.Segment
	r.shared.Work.Go(func() {
		sum, differs := r.shared.Verifier.Contradicts(r.ctx, m, data, first)
		if !differs {
			return
		}
		r.mail.Post(func() { r.contradict(seg, integrity.Cut(sum)) })
	})
}

// contradict tells trackers what the origin gave instead of a segment that is held.
func (r *Rendition) contradict(seg *core.Segment, h integrity.Hash) {
	if !seg.Held() || !r.core.Current(seg) {
		return
	}
	r.log.Warn("another seeder gave other bytes than the origin gives; the tracker decides", "sequence", seg.Sequence)
	for _, s := range r.named {
		if seg.Clear(s.generation) {
			r.shared.Journal.Add(s.infoHash, seg.ID(s.generation), h, false)
		}
	}
}
