package swarm

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// probes bounds how many unsuitable candidates are looked at in one step, so that an announce costs the same in a
// swarm of ten thousand as in one of a hundred.
const probes = 64

// Route chooses the recipients of an announce's offers: offer i goes to peer i of the result, which is appended to dst
// and may be shorter than the number of offers. It changes no state.
//
// No peer gets two offers or its own; a pair is left alone as described in the package comment; a seeder gets no offers
// when it is saturated, and from seeders only those of seeders that seek others.
func Route(s *Swarm, from *Peer, offers int, now time.Time, rnd *rand.Rand, dst []*Peer) []*Peer {
	dst, _ = route(s, from, offers, now, rnd, dst)
	return dst
}

// skips counts viewers and seeders that got no offer: held because too many had been sent to them, source because of too
// many peers of one source.
type skips struct{ held, source int }

// route is Route, and also counts the peers that were skipped.
func route(s *Swarm, from *Peer, offers int, now time.Time, rnd *rand.Rand, dst []*Peer) (to []*Peer, skipped skips) {
	r := routing{s: s, from: from, now: now, rnd: rnd, start: len(dst), dst: dst, maxDegree: math.MaxInt32}
	if len(from.relations) >= s.maxRelations(from) {
		return dst, skips{}
	}
	if from.sock.Seeder {
		switch {
		case from.seeking:
			r.seek(offers)
		case s.bucket(from) != saturated:
			load, limit := from.sock.load(*s.cfg)
			r.toSeederless(min(offers, limit-load))
		}
		return r.dst, r.skipped
	}
	if from.group == nil {
		return dst, skips{}
	}
	if from.cell != nil {
		r.toSeeders(&from.cell.site.seeders, min(offers, s.cfg.Seeders-from.insiders))
	}
	outside := s.wantsOutside(from)
	if outside {
		r.toOutside(offers - r.given())
	}
	if from.isGateway() {
		r.toGateways(offers - r.given())
	}
	room := from.room(s.cfg.MaxPeers)
	left := func() int { return min(offers, room) - r.given() }
	if from.cell != nil || from.sock.Place.uploads() {
		r.toViewers(left())
	}
	if from.isGateway() && from.sock.Place.CrossSite {
		r.toCrossing(min(left(), mostCrossing-from.crossings()))
	}
	// An answer does not prove that the connection was established. Another offer to a seeder pays off soon: it costs
	// nothing if the pair is connected, while a viewer without its seeder loads the origin.
	r.relink(left(), func(p *Peer) bool { return p.sock.Seeder && (outside || from.sock.Place.inside(&p.sock.Place)) }, s.cfg.RelinkSeederAfter)
	if from.links < s.cfg.Peers {
		r.relink(left(), func(p *Peer) bool { return !p.sock.Seeder }, s.cfg.RelinkAfter)
	}
	r.repeat(offers - r.given())
	return r.dst, r.skipped
}

func (s *Swarm) maxRelations(p *Peer) int {
	if !p.sock.Seeder {
		return s.cfg.maxRelations()
	}
	_, limit := p.sock.load(*s.cfg)
	return 2*limit + 64
}

type routing struct {
	s         *Swarm
	from      *Peer
	now       time.Time
	rnd       *rand.Rand
	start     int
	dst       []*Peer
	maxDegree int // viewers with this many connections get no more offers
	skipped   skips
}

func (r *routing) given() int { return len(r.dst) - r.start }

// fits reports whether the announcer's offer may go to p.
func (r *routing) fits(p *Peer) bool {
	viewer := !p.sock.Seeder
	if viewer && p.degree >= 2*r.maxDegree {
		return false
	}
	if viewer && r.from.sock.Seeder && !r.supplies(p) {
		return false
	}
	if !viewer && r.from.sock.Seeder && !r.from.sock.Place.fillsFrom(&p.sock.Place) {
		return false
	}
	if p.id == r.from.id || len(p.relations) >= r.s.maxRelations(p) || slices.Contains(r.dst[r.start:], p) || r.from.related(p) {
		return false
	}
	if viewer && (p.room(r.maxDegree) <= 0 || r.doubts(p) || r.crowdedSource(p)) {
		return false
	}
	return r.accepts(p)
}

// leastTrust is the share of offers that a viewer gets whose introductions never lead to a connection, one in this many.
const leastTrust = 16

// doubts draws whether to skip p: the more of its introductions failed, the more often.
func (r *routing) doubts(p *Peer) bool {
	if p.failed == 0 {
		return false
	}
	all := p.links + p.failed + 1
	return r.rnd.IntN(all) > max(p.links, all/leastTrust)
}

// crowdedSource reports whether a connection would give one of the two viewers too many peers of the other's source.
func (r *routing) crowdedSource(p *Peer) bool {
	a, b := r.from.sock, p.sock
	if a.Seeder || a.Source == b.Source || !a.Source.IsValid() || !b.Source.IsValid() {
		return false
	}
	if r.from.group != p.group {
		return false
	}
	most := r.s.cfg.perSource(len(p.group.sources))
	left := most
	for _, q := range r.dst[r.start:] {
		left -= asInt(!q.sock.Seeder && q.sock.Source == b.Source)
	}
	if r.from.ofSource(b.Source, left) || p.ofSource(a.Source, most) {
		r.skipped.source++
		return true
	}
	return false
}

// ofSource reports whether p has relations to at least n viewers of a source.
func (p *Peer) ofSource(source netip.Addr, n int) bool {
	if len(p.relations) < n {
		return false
	}
	for i := range p.relations {
		if n <= 0 {
			break
		}
		if q := p.relations[i].peer.sock; !q.Seeder && q.Source == source {
			n--
		}
	}
	return n <= 0
}

// mayOffer reports whether offers go to p at all: viewers that only receive choose their sources themselves, and get the offers of
// seeders alone.
func (r *routing) mayOffer(p *Peer) bool {
	return p.sock.Seeder || r.from.sock.Seeder || p.sock.Place.uploads()
}

// accepts reports whether one more offer may be sent to p now.
func (r *routing) accepts(p *Peer) bool {
	if p.offersAllowed(r.now) >= 1 {
		return true
	}
	r.skipped.held++
	return false
}

// toSeeders gives up to n offers to the least loaded seeders of an index.
func (r *routing) toSeeders(of *index, n int) {
	tries := probes
	for b := of.next(0); n > 0 && b < saturated; b = of.next(b + 1) {
		n -= r.fromClass(of.classes[b], n, &tries)
	}
}

// toGateways gives up to n offers to the other gateways of the announcer's cell: each brings segments that the others wait for,
// and a seeder that sees them come late, by way of other viewers, offers these segments to all.
func (r *routing) toGateways(n int) {
	r.maxDegree = r.s.cfg.MaxPeers
	for _, p := range r.from.cell.gateways {
		if n > 0 && r.mayOffer(p) && r.fits(p) {
			r.dst = append(r.dst, p)
			n--
		}
	}
}

// toViewers gives up to n offers to viewers, the least connected first, and those last that are not trusted.
func (r *routing) toViewers(n int) {
	tries := probes
	r.maxDegree = r.s.cfg.MaxPeers
	if r.from.degree+r.given() < r.s.cfg.Peers {
		r.maxDegree = r.s.cfg.crowded()
	}
	// Every fourth offer goes to any viewer with room, starting from a random class.
	limit := min(r.maxDegree, untrusted)
	viewers := &r.from.group.viewers
	for range n / 4 {
		if b := viewers.next(r.rnd.IntN(limit)); b < limit {
			n -= r.fromClass(viewers.classes[b], 1, &tries)
		}
	}
	for b := viewers.next(0); n > 0 && tries > 0 && b < buckets; b = viewers.next(b + 1) {
		n -= r.fromClass(viewers.classes[b], n, &tries)
	}
}

// repeat sends up to n offers to viewers that answered one before and have not ignored one since: a client that is
// connected ignores them, and one that answers is not connected.
func (r *routing) repeat(n int) {
	for _, failed := range []bool{false, true} {
		for i := range r.from.relations {
			if n <= 0 {
				return
			}
			rel := &r.from.relations[i]
			if !rel.linked || rel.pending || rel.theirs || !r.mayOffer(rel.peer) || rel.failures == maxFailures || rel.peer.sock.Seeder || (rel.failures > 0) != failed ||
				r.now.Sub(rel.at) < r.s.cfg.RepeatAfter<<rel.failures || slices.Contains(r.dst[r.start:], rel.peer) || !r.accepts(rel.peer) {
				continue
			}
			r.dst = append(r.dst, rel.peer)
			n--
		}
	}
}

// toSeederless gives up to n offers of a seeder to viewers that have none, those of its site first.
func (r *routing) toSeederless(n int) {
	tries := probes
	place := &r.from.sock.Place
	if w := r.s.sites[place.Site]; w != nil {
		n -= r.fromClass(w.seederless.peers, n, &tries)
	}
	if place.central() {
		r.fromClass(r.s.seederless.peers, n, &tries)
	}
}

// mostCrossing is how many gateways of other sites a gateway is introduced to, where both sites allow it.
const mostCrossing = 3

// toCrossing gives up to n offers to gateways of other sites.
func (r *routing) toCrossing(n int) {
	tries := probes
	r.maxDegree = r.s.cfg.crowded()
	r.fromClass(r.s.crossing.peers, n, &tries)
}

// crossings counts relations with viewers of other sites.
func (p *Peer) crossings() (n int) {
	for i := range p.relations {
		q := p.relations[i].peer.sock
		n += asInt(!q.Seeder && q.Place.Site != p.sock.Place.Site)
	}
	return n
}

// fromClass appends up to n fitting members of a list, starting at a random position, and returns how many.
func (r *routing) fromClass(class []*Peer, n int, tries *int) int {
	if len(class) == 0 || n <= 0 {
		return 0
	}
	taken := 0
	at := r.rnd.IntN(len(class))
	for range class {
		if taken == n || *tries == 0 {
			break
		}
		p := class[at]
		if at++; at == len(class) {
			at = 0
		}
		if !r.fits(p) {
			*tries--
			continue
		}
		r.dst = append(r.dst, p)
		taken++
	}
	return taken
}

// relink sends up to n offers to peers of a kind that answered the announcer's offer longer ago than after.
func (r *routing) relink(n int, kind func(*Peer) bool, after time.Duration) {
	for i := range r.from.relations {
		if n <= 0 {
			return
		}
		rel := &r.from.relations[i]
		if !rel.linked || rel.pending || r.now.Sub(rel.at) < after || !kind(rel.peer) || !r.mayOffer(rel.peer) || !r.accepts(rel.peer) {
			continue
		}
		r.dst = append(r.dst, rel.peer)
		n--
	}
}
