package swarm

import "time"

// relation is what the tracker knows about a pair of peers; both sides hold one.
type relation struct {
	peer *Peer
	// at is when the last offer was relayed, or answered.
	at time.Time
	// key is the key of the last offer's id.
	key     uint64
	mine    bool // the last offer was this side's
	pending bool // it may still be answered
	linked  bool // an offer was answered
	// failures counts offers that were answered although an earlier one had been: that one led to no connection.
	failures uint8
	// blamed says that the other side was not doubtful when an offer led to no connection.
	blamed bool
	// ignored says that this side did not answer the last repeated offer, as a client that is connected; theirs says the
	// same of the other side.
	ignored, theirs bool
	// again counts, of a viewer and a seeder, how often in a row an offer was answered although an earlier one had been.
	again uint8
}

// maxFailures is after how many failures a pair gets no more repeated offers. The first one doubles the time until the next:
// a connection may succeed at the second attempt. More would bring together peers of which one has closed the connection.
const maxFailures = 2

// outOfReach is after how many answers in a row without a connection a viewer is taken not to reach a seeder.
const outOfReach = 2

// real reports whether the pair may be connected, as seen by the side that holds the relation: an offer was answered, and
// since the last sign that it led to no connection this side has behaved as if there were one.
func (r *relation) real() bool { return r.linked && (r.failures == 0 || r.ignored) }

// failed reports whether the introduction counts as one that led to no connection, against the side that holds the
// relation. Those to doubtful peers do not.
func (r *relation) failed() bool { return r.linked && r.blamed && !r.real() }

// counts reports whether the relation counts as a connection of the side that holds it: it may be one, the first offer may
// still be answered, or this side left the other's offer unanswered.
func (r *relation) counts() bool {
	if r.linked {
		return r.real()
	}
	return r.pending || !r.mine
}

// offered records that an offer of from was relayed to to.
func (s *Swarm) offered(from, to *Peer, key uint64, now time.Time) {
	to.noteOffer(now)
	if from.find(to) < 0 {
		from.relations = append(from.relations, relation{peer: to, mine: true})
		to.relations = append(to.relations, relation{peer: from, mine: true})
	}
	// If the pair has a relation already, an earlier offer that expired no longer counts for its offerer.
	s.change(from, to, func(a, b *relation) {
		for _, r := range []*relation{a, b} {
			r.at, r.key, r.mine, r.pending = now, key, r == a, true
		}
	})
}

// answered records that the pending offer of offerer was answered. It reports whether that shows that an answer before it
// led to no connection.
func (s *Swarm) answered(offerer, answerer *Peer, now time.Time) (failed bool) {
	// Offers to seeders are repeated until they succeed, so an answer says nothing about the one before.
	viewers := !offerer.sock.Seeder && !answerer.sock.Seeder
	doubtful := [2]bool{offerer.doubtful(), answerer.doubtful()}
	s.change(offerer, answerer, func(a, b *relation) {
		for i, r := range []*relation{a, b} {
			if failed = r.linked && viewers; failed {
				r.failures = min(r.failures+1, maxFailures)
				r.ignored, r.theirs = false, false
				r.blamed = r.blamed || !doubtful[1-i]
			}
			if r.linked && !viewers {
				r.again = min(r.again+1, outOfReach)
			}
			r.pending, r.linked, r.at = false, true, now
		}
	})
	return failed
}

// offerExpired records that an offer was not answered in time.
func (s *Swarm) offerExpired(offerer, answerer *Peer, at time.Time) {
	a := offerer.relation(answerer)
	if a == nil || !a.pending || !a.mine || !a.at.Equal(at) {
		return
	}
	// If it was the first one, the offerer may connect to other peers; the silent recipient keeps the connection in its
	// degree until the relation is forgotten. A repeated one is ignored by a client that is connected.
	s.change(offerer, answerer, func(a, b *relation) {
		a.pending, b.pending = false, false
		if a.linked {
			b.ignored, a.theirs = true, true
			a.again, b.again = 0, 0
		}
	})
}

// change changes the relation of a pair, which must have one, and what is counted of it.
func (s *Swarm) change(p, q *Peer, to func(a, b *relation)) {
	a, b := &p.relations[p.find(q)], &q.relations[q.find(p)]
	before := [2]relation{*a, *b}
	to(a, b)
	p.recount(&before[0], a)
	q.recount(&before[1], b)
	s.count(p, q, asInt(a.counts())-asInt(before[0].counts()), asInt(b.counts())-asInt(before[1].counts()))
}

// recount updates links and failed of p after a change of one of its relations.
func (p *Peer) recount(before, after *relation) {
	p.links += asInt(after.real()) - asInt(before.real())
	p.failed += asInt(after.failed()) - asInt(before.failed())
}

// forgetPair removes relation i of p on both sides.
func (s *Swarm) forgetPair(p *Peer, i int) {
	r := p.relations[i]
	q := r.peer
	j := q.find(p)
	other := q.relations[j]
	p.forget(i)
	q.forget(j)
	p.recount(&r, &relation{})
	q.recount(&other, &relation{})
	s.count(p, q, -asInt(r.counts()), -asInt(other.counts()))
}

// prune removes outdated relations of p: offers that expired unanswered two intervals ago, and pairs that did not connect.
func (s *Swarm) prune(p *Peer, now time.Time) {
	keep := s.cfg.retryAfter(p.interval)
	for i := len(p.relations) - 1; i >= 0; i-- {
		r := &p.relations[i]
		if r.pending {
			continue
		}
		age := now.Sub(r.at)
		// A viewer that met many peers without connecting to them must be able to meet others.
		failed := r.linked && !r.real() && (age >= s.cfg.FailedFor || len(p.relations) > s.cfg.maxRelations()*3/4)
		if failed || !r.linked && age >= keep {
			s.forgetPair(p, i)
		}
	}
}
