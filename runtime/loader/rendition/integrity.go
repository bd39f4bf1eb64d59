package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
)

// provenance tells which bytes of a segment came from peers.
type provenance struct {
	peers   []*session.Session // that gave bytes of what is held or arriving
	proven  int                // bytes before theirs, which the origin gave
	hash    integrity.Hash     // of a seeder's segment that is held
	hashing bool               // it is being computed
}

// trust forgets the peers that gave bytes: they are checked, or dropped.
func (s *segment) trust() {
	s.origins.peers, s.origins.proven = nil, 0
	s.requests.Reveal()
}

// distrust notes that a peer continues the bytes held. Players see nothing of what it brings before it is checked.
func (r *Rendition) distrust(seg *segment, s *session.Session, held int) {
	if r.shared.Checker == nil {
		return
	}
	if len(seg.origins.peers) == 0 {
		seg.origins.proven = held
	}
	if !slices.Contains(seg.origins.peers, s) {
		seg.origins.peers = append(seg.origins.peers, s)
	}
	seg.requests.Withhold(seg.origins.proven)
}

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
	for _, seg := range r.segments.order {
		if seg.held() {
			r.tell(seg, false)
		}
	}
}

// note computes the hash of a segment that the origin gave, in the background, and tells the trackers.
func (r *Rendition) note(seg *segment, data []byte) {
	if r.shared.Journal == nil {
		return
	}
	seg.origins.hash, seg.origins.hashing = integrity.Hash{}, true
	r.shared.Work.Go(func() {
		h := integrity.Of(data)
		r.mail.Post(func() {
			seg.origins.hashing = false
			if seg.held() && r.segments.byKey[seg.key] == seg {
				seg.origins.hash = h
				r.tell(seg, false)
			}
		})
	})
}

// tell adds a segment's hash to what the trackers are told. again says that the origin was asked once more.
func (r *Rendition) tell(seg *segment, again bool) {
	if seg.origins.hash == (integrity.Hash{}) {
		return
	}
	for _, s := range r.named {
		r.tellSwarm(seg, s, again)
	}
}

func (r *Rendition) tellSwarm(seg *segment, s swarmName, again bool) {
	if seg.clear(s.generation) { // else peers name two segments by this id
		r.shared.Journal.Add(s.infoHash, seg.ID(s.generation), seg.origins.hash, again)
	}
}

// troubled is how many failures in a row mean that the origin gives a seeder no new segments.
const troubled = 3

// vouch says for which segments a seeder has a hash, or will have one before any peer can have the segment: viewers take
// no others from peers. A seeder that lags behind, or does not hold everything, vouches for what it has hashed only.
func (r *Rendition) vouch(now time.Time) {
	if r.shared.Journal == nil || r.playlist == nil {
		return
	}
	for _, seg := range r.segments.order {
		if seg.held() && seg.origins.hash == (integrity.Hash{}) && !seg.origins.hashing {
			if data, ok := r.shared.Store.Get(seg.key); ok { // another rendition fetched it
				r.note(seg, data)
			}
		}
	}
	run := r.hashed()
	if r.holdsAll() {
		run = r.segments.order
	}
	for _, s := range r.named {
		span := spanOf(run, s.generation)
		if len(run) > 0 && r.keepsUp() && r.playlist.Live {
			span.To = integrity.MaxID
		}
		if span.From < 0 {
			continue
		}
		forgotten := r.shared.Journal.Cover(s.infoHash, span, now)
		for _, seg := range run {
			if seg.isHashed() && forgotten.Contains(seg.ID(s.generation)) {
				r.tellSwarm(seg, s, false)
			}
		}
	}
}

// spanOf is the range of the ids of segments; it is empty without any. What comes with the end of a live playlist may have
// ids below those of the segments before it.
func spanOf(segments []*segment, g identity.Generation) integrity.Span {
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
func (r *Rendition) hashed() []*segment {
	order := r.segments.order
	end := len(order)
	for end > 0 && !order[end-1].isHashed() {
		end--
	}
	begin := end
	for begin > 0 && (order[begin-1].isHashed() || order[begin-1].Gap) {
		begin--
	}
	for begin < end && order[begin].Gap {
		begin++
	}
	lasting := r.playlist.Live && r.keepsUp()
	for i, seg := range order[:end] {
		seg.vouched = lasting && seg.isHashed() && (seg.vouched || i >= begin)
		if seg.vouched && i < begin {
			begin = i
		}
	}
	return order[begin:end]
}

func (s *segment) isHashed() bool { return s.held() && s.origins.hash != (integrity.Hash{}) }

// keepsUp tells whether each segment is fetched as soon as the origin has it.
func (r *Rendition) keepsUp() bool {
	return !r.leaving && (!r.playlist.Live || !r.playlist.Ended) && r.playlistError == "" && r.origin.failures < troubled
}

// holdsAll tells whether a seeder holds all of a film, or is about to: it fits, as far as the segments held let expect.
func (r *Rendition) holdsAll() bool {
	st := r.shared.Store.Stats()
	if r.playlist.Live || st.Segments == 0 || len(r.segments.order) == 0 || !r.keepsUp() {
		return false
	}
	return st.Bytes/int64(st.Segments)*r.shared.Segments.Load() <= st.Limit/100*fullPercent
}

// check begins to check a whole segment that has bytes from peers; false if there is nothing to check it with. Until the
// hash is there the segment counts as being fetched, so that it is neither asked for again nor stored.
func (r *Rendition) check(seg *segment, data []byte, source traffic.Source) bool {
	if r.shared.Checker == nil || len(seg.origins.peers) == 0 {
		return false
	}
	// Not the swarms that are named now: the first segments come before they are, and swarms may be left meanwhile.
	peer := seg.origins.peers[0]
	swarm, id, from := peer.Swarm(), seg.ID(peer.Generation()), seg.from
	ctx, stop, attempt := r.examine(seg, data)
	r.shared.Work.Go(func() {
		defer stop()
		verdict := r.shared.Checker.Check(ctx, string(swarm), id, data)
		r.mail.Post(func() { r.checked(seg, attempt, from, data, source, verdict) })
	})
	return true
}

// checked takes the result of a check.
func (r *Rendition) checked(seg *segment, attempt int64, from *session.Session, data []byte, source traffic.Source, verdict hashes.Verdict) {
	if seg.state != schedule.Fetching || seg.attempt != attempt || r.segments.byKey[seg.key] != seg {
		r.discard(data)
		return
	}
	counters, now := r.shared.Counters, time.Now()
	switch verdict {
	case hashes.Right:
		counters.Right.Add(1)
	case hashes.Unknown:
		counters.Unknown.Add(1)
	case hashes.Wrong:
		counters.Wrong.Add(1)
		r.log.Warn("a segment from a peer is not the origin's, fetching it again", "sequence", seg.Sequence, "source", source, "peers", len(seg.origins.peers))
		r.blame(seg.origins.peers, now)
		r.dropUnproven(seg, from, data)
		return
	case hashes.Unproven:
		counters.Unproven.Add(1)
		seg.unproven++
		r.log.Debug("the hash of a segment from a peer did not come in time, fetching it again", "sequence", seg.Sequence)
		r.dropUnproven(seg, from, data)
		return
	}
	seg.from = from
	if !r.verify(seg, data, source) {
		r.take(seg, data, source, now)
	}
}

// blame cuts off the peer that gave wrong bytes. If several gave bytes, it is not known which of them did.
func (r *Rendition) blame(peers []*session.Session, now time.Time) {
	for _, s := range peers {
		if len(peers) == 1 {
			s.Convict()
			return
		}
		s.RecordFailure(now)
	}
}

// dropUnproven drops what peers gave of a segment, and keeps what the origin had given before.
func (r *Rendition) dropUnproven(seg *segment, from *session.Session, data []byte) {
	proven := min(seg.origins.proven, len(data))
	r.discard(data[proven:])
	seg.stop()
	seg.claimed, seg.notFrom = -1, from
	seg.trust()
	r.missing(seg, data[:proven:proven])
}

// LookAgain asks the origin once more for a segment of which another seeder has other bytes, tells what came, and drops
// what is held if it differs. It returns at once.
func (r *Rendition) LookAgain(infoHash identity.InfoHash, id int64) {
	r.mail.Post(func() {
		for _, s := range r.named {
			if s.infoHash != infoHash {
				continue
			}
			for _, seg := range r.segments.order {
				if seg.ID(s.generation) == id && seg.clear(s.generation) {
					r.refetch(seg)
					return
				}
			}
		}
	})
}

// refetch compares a held segment with the origin's bytes of now. The origin decides once: a segment that is not held any
// more is not asked for.
func (r *Rendition) refetch(seg *segment) {
	if !seg.held() || seg.origins.hash == (integrity.Hash{}) {
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

func (r *Rendition) lookedAgain(seg *segment, h integrity.Hash) {
	if !seg.held() || r.segments.byKey[seg.key] != seg {
		return
	}
	held := seg.origins.hash
	seg.origins.hash = h
	r.tell(seg, true)
	if h == held {
		return
	}
	r.log.Warn("the origin gives other bytes than before, fetching the segment again", "sequence", seg.Sequence)
	seg.origins.hash = integrity.Hash{}
	r.shared.Store.Remove(seg.key)
	r.missing(seg, nil)
}
