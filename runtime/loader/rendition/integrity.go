package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// swarmNames are the swarms joined, in the order of the generations. The rendition's owner has them.
type swarmNames []swarmName

type swarmName struct {
	generation identity.Generation
	infoHash   identity.InfoHash
}

// nameSwarms learns which swarms are joined now. Hashes belong to a swarm: when a rendition moves to another one, what is
// held is told again.
func (r *Rendition) nameSwarms() {
	if r.shared.Journal == nil || !r.swarms.mu.TryLock() {
		return // swarms are being joined or left: the next look sees it
	}
	var now swarmNames
	for _, g := range r.shared.Settings.Generations {
		if s := r.swarms.joined[g]; s != nil {
			now = append(now, swarmName{g, s.InfoHash()})
		}
	}
	r.swarms.mu.Unlock()
	if slices.Equal(now, r.named) {
		return
	}
	r.named = now
	for _, seg := range r.core.Segments() {
		if seg.Held() {
			r.tell(seg, false)
		}
	}
}

// note computes the hash of a segment that the origin gave, in the background, and tells the trackers.
func (r *Rendition) note(seg *core.Segment, data []byte) {
	if r.shared.Journal == nil {
		return
	}
	seg.Hash, seg.Hashing = integrity.Hash{}, true
	r.shared.Work.Go(func() {
		h := integrity.Of(data)
		r.mail.Post(func() {
			seg.Hashing = false
			if seg.Held() && r.core.Current(seg) {
				seg.Hash = h
				r.tell(seg, false)
			}
		})
	})
}

// tell adds a segment's hash to what the trackers are told. again says that the origin was asked once more.
func (r *Rendition) tell(seg *core.Segment, again bool) {
	if seg.Hash == (integrity.Hash{}) {
		return
	}
	for _, s := range r.named {
		r.tellSwarm(seg, s, again)
	}
}

func (r *Rendition) tellSwarm(seg *core.Segment, s swarmName, again bool) {
	if seg.Clear(s.generation) { // else peers name two segments by this id
		r.shared.Journal.Add(s.infoHash, seg.ID(s.generation), seg.Hash, again)
	}
}

// troubled is how many failures in a row mean that the origin gives a seeder no new segments.
const troubled = 3

// vouch says for which segments a seeder has a hash, or will have one before any peer can have the segment: viewers take
// no others from peers. A seeder that lags behind, or does not hold everything, vouches for what it has hashed only.
func (r *Rendition) vouch(now time.Time) {
	if r.shared.Journal == nil || r.core.Playlist() == nil {
		return
	}
	for _, seg := range r.core.Segments() {
		if seg.Held() && seg.Hash == (integrity.Hash{}) && !seg.Hashing {
			if data, ok := r.shared.Store.Get(seg.Key); ok { // another rendition fetched it
				r.note(seg, data)
			}
		}
	}
	run := r.hashed()
	if r.holdsAll() {
		run = r.core.Segments()
	}
	for _, s := range r.named {
		span := spanOf(run, s.generation)
		if len(run) > 0 && r.keepsUp() && r.core.Playlist().Live {
			span.To = integrity.MaxID
		}
		if span.From < 0 {
			continue
		}
		forgotten := r.shared.Journal.Cover(s.infoHash, span, now)
		for _, seg := range run {
			if isHashed(seg) && forgotten.Contains(seg.ID(s.generation)) {
				r.tellSwarm(seg, s, false)
			}
		}
	}
}

// spanOf is the range of the ids of segments; it is empty without any. What comes with the end of a live playlist may have
// ids below those of the segments before it.
func spanOf(segments []*core.Segment, g identity.Generation) integrity.Span {
	span := integrity.Span{From: 0, To: -1}
	for i, seg := range segments {
		id := seg.ID(g)
		if i == 0 {
			span = integrity.Span{From: id, To: id}
		}
		span = integrity.Span{From: min(span.From, id), To: max(span.To, id)}
	}
	return span
}

// hashed is the run of hashed segments that ends with the newest of them. While a live seeder keeps up, it goes on through
// segments that failed and are tried again, to where it began before: else the segments before these would be taken from
// any peer without a check for so long.
func (r *Rendition) hashed() []*core.Segment {
	order := r.core.Segments()
	end := len(order)
	for end > 0 && !isHashed(order[end-1]) {
		end--
	}
	begin := end
	for begin > 0 && (isHashed(order[begin-1]) || order[begin-1].Gap) {
		begin--
	}
	for begin < end && order[begin].Gap {
		begin++
	}
	lasting := r.core.Playlist().Live && r.keepsUp()
	for i, seg := range order[:end] {
		seg.Vouched = lasting && isHashed(seg) && (seg.Vouched || i >= begin)
		if seg.Vouched && i < begin {
			begin = i
		}
	}
	return order[begin:end]
}

func isHashed(seg *core.Segment) bool { return seg.Held() && seg.Hash != (integrity.Hash{}) }

// keepsUp tells whether each segment is fetched as soon as the origin has it.
func (r *Rendition) keepsUp() bool {
	return !r.leaving && (!r.core.Playlist().Live || !r.core.Playlist().Ended) && r.playlistError == "" && r.core.OriginFailures() < troubled
}

// holdsAll tells whether a seeder holds all of a film, or is about to: it fits, as far as the segments held let expect.
func (r *Rendition) holdsAll() bool {
	st := r.shared.Store.Stats()
	if r.core.Playlist().Live || st.Segments == 0 || len(r.core.Segments()) == 0 || !r.keepsUp() {
		return false
	}
	return st.Bytes/int64(st.Segments)*r.shared.Segments.Load() <= st.Limit/100*core.FullPercent
}

// LookAgain asks the origin once more for a segment of which another seeder has other bytes, tells what came, and drops
// what is held if it differs. It returns at once.
func (r *Rendition) LookAgain(infoHash identity.InfoHash, id int64) {
	r.mail.Post(func() {
		for _, s := range r.named {
			if s.infoHash != infoHash {
				continue
			}
			for _, seg := range r.core.Segments() {
				if seg.ID(s.generation) == id && seg.Clear(s.generation) {
					r.refetch(seg)
					return
				}
			}
		}
	})
}

// refetch compares a held segment with the origin's bytes of now. The origin decides once: a segment that is not held any
// more is not asked for.
func (r *Rendition) refetch(seg *core.Segment) {
	if !seg.Held() || seg.Hash == (integrity.Hash{}) {
		return
	}
	m := seg.Segment
	r.shared.Work.Go(func() {
		sum, ok := r.shared.Verifier.Digest(r.ctx, m)
		if !ok {
			return // it is asked for again
		}
		r.mail.Post(func() { r.lookedAgain(seg, integrity.Cut(sum)) })
	})
}

func (r *Rendition) lookedAgain(seg *core.Segment, h integrity.Hash) {
	if !seg.Held() || !r.core.Current(seg) {
		return
	}
	held := seg.Hash
	seg.Hash = h
	r.tell(seg, true)
	if h == held {
		return
	}
	r.log.Warn("the origin gives other bytes than before, fetching the segment again", "sequence", seg.Sequence)
	seg.Hash = integrity.Hash{}
	r.core.Withdrawn(seg)
}
