package integrity

import (
	"maps"
	"slices"
	"time"
)

// Limits bound a Ledger. Zero values take the defaults below.
type Limits struct {
	Swarms   int           // the one that was heard of longest ago goes first
	PerSwarm int           // hashes of one swarm; the lowest ids go first
	Hashes   int           // hashes of all swarms
	Seeders  int           // seeders of one swarm that are told apart; others are not accepted
	CoverFor time.Duration // how long a seeder vouches for a span without repeating it
}

// LongestSilence is after how long a seeder says again what it vouches for. Viewers do without segments whose hashes do
// not come, so what a seeder promised must not outlive it for long.
const LongestSilence = 2 * time.Second

// Defaults of Limits.
const (
	ledgerSwarms   = 512
	ledgerPerSwarm = 16_384
	ledgerHashes   = 200_000
	ledgerSeeders  = 64
	ledgerCoverFor = 3 * LongestSilence
)

func (l Limits) withDefaults() Limits {
	number := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	number(&l.Swarms, ledgerSwarms)
	number(&l.PerSwarm, ledgerPerSwarm)
	number(&l.Hashes, ledgerHashes)
	number(&l.Seeders, ledgerSeeders)
	if l.CoverFor <= 0 {
		l.CoverFor = ledgerCoverFor
	}
	return l
}

// Ledger joins what several seeders say. One goroutine at a time may use it.
type Ledger struct {
	limits Limits
	swarms map[string]*swarm // by info hash
	counts Counts
}

// Counts are what a ledger has seen. All but the first three are cumulative.
type Counts struct {
	Swarms int `json:"swarms"`
	Hashes int `json:"hashes"`
	// Disputed are segments of which seeders say different things now, and the origin has not decided.
	Disputed int `json:"disputed"`
	// Conflicts are segments that were ever disputed; Decided are those of them that the origin has decided.
	Conflicts int64 `json:"conflicts"`
	Decided   int64 `json:"decided"`
	// Unstable are segments of which the origin itself gives different bytes: no hash can be checked.
	Unstable int64 `json:"unstable"`
	Dropped  int64 `json:"dropped"` // hashes that were dropped to stay within the limits
	// Newest is the last segment that was disputed or found unstable; the zero value if there was none.
	Newest Place `json:"newest,omitzero"`
}

type swarm struct {
	heard   time.Time
	entries map[int64]*entry
	newest  int64
	lowest  int64              // hashes of lower ids were dropped
	covers  map[string]vouched // by seeder
	// disputes are the segments that seeders are asked to fetch once more.
	disputes map[int64]*dispute
	differed time.Time // when a segment was last found unstable
}

type vouched struct {
	span Span
	at   time.Time
	left bool // the seeder has gone: it vouches for nothing, but may come back
}

type entry struct {
	hash  Hash
	state state
}

// state is how far it is known what the origin's bytes are.
type state uint8

const (
	said     state = iota // by one seeder, or by several that agree
	disputed              // by several that do not
	decided               // by the origin, which was asked once more
	unstable              // the origin gives different bytes each time
)

// dispute is a segment that every seeder which has told its hash fetches once more.
type dispute struct {
	since   time.Time
	fetched map[string]bool // seeders that have done so
}

// differsFor is how long a difference counts: a probe looks soon after it was found.
const differsFor = 10 * time.Minute

// returnsWithin is how long hashes are kept for a seeder that is silent.
const returnsWithin = time.Minute

// disputeFor is how long seeders are asked to settle a dispute.
const disputeFor = time.Minute

// NewLedger returns an empty ledger.
func NewLedger(l Limits) *Ledger {
	return &Ledger{limits: l.withDefaults(), swarms: make(map[string]*swarm)}
}

// Accept takes a decoded batch of a seeder that has proven to be one, and returns what the seeder is to fetch once more.
func (l *Ledger) Accept(b Batch, now time.Time) []Place {
	var again []Place
	for _, in := range b.Swarms {
		s := l.swarm(in.InfoHash, now)
		if !s.admit(b.Seeder, now, l.limits) {
			l.counts.Dropped += int64(len(in.Segments))
			continue
		}
		span := empty()
		if in.Covers != nil {
			span = *in.Covers
		}
		s.covers[b.Seeder] = vouched{span: span, at: now}
		l.forgetBelow(s, now)
		for _, g := range in.Segments {
			l.take(s, in.InfoHash, b.Seeder, g, now)
		}
		for id := range s.disputes {
			if s.disputes[id].fetched[b.Seeder] || len(again) == maxDisputes {
				continue
			}
			again = append(again, Place{in.InfoHash, id})
		}
		s.settle(now)
		l.bound(s)
	}
	l.boundSwarms()
	return again
}

// Forget drops what a seeder vouches for: it has gone. The hashes that it told stay: a seeder that comes back, on a new
// socket, does not tell them again.
func (l *Ledger) Forget(seeder string) {
	for _, s := range l.swarms {
		if v, ok := s.covers[seeder]; ok {
			v.left = true
			s.covers[seeder] = v
		}
	}
}

// swarm is the one with an info hash, which has just been heard of.
func (l *Ledger) swarm(infoHash string, now time.Time) *swarm {
	s := l.swarms[infoHash]
	if s == nil {
		s = &swarm{newest: -1, entries: make(map[int64]*entry), covers: make(map[string]vouched), disputes: make(map[int64]*dispute)}
		l.swarms[infoHash] = s
	}
	s.heard = now
	return s
}

// admit tells whether one more seeder is told apart; those that are silent make room.
func (s *swarm) admit(seeder string, now time.Time, l Limits) bool {
	if _, known := s.covers[seeder]; known {
		return true
	}
	if len(s.covers) >= l.Seeders {
		maps.DeleteFunc(s.covers, func(_ string, v vouched) bool { return v.left || now.Sub(v.at) > l.CoverFor })
	}
	return len(s.covers) < l.Seeders
}

func (l *Ledger) take(s *swarm, infoHash, seeder string, g Segment, now time.Time) {
	e := s.entries[g.ID]
	if e == nil {
		s.entries[g.ID] = &entry{hash: g.Hash}
		s.newest = max(s.newest, g.ID)
		l.counts.Hashes++
		return
	}
	if g.Again {
		l.fetchedAgain(s, e, infoHash, seeder, g)
		return
	}
	if e.hash == g.Hash || e.state == unstable {
		return
	}
	// A seeder that contradicts what the origin has decided is asked, too: it holds bytes that it must not pass on.
	if s.disputes[g.ID] == nil {
		s.disputes[g.ID] = &dispute{since: now, fetched: make(map[string]bool)}
	}
	if e.state == said {
		e.state = disputed
		l.counts.Conflicts++
		l.counts.Disputed++
		l.counts.Newest = Place{infoHash, g.ID}
	}
}

// fetchedAgain takes what the origin gave to a seeder that asked it once more.
func (l *Ledger) fetchedAgain(s *swarm, e *entry, infoHash, seeder string, g Segment) {
	d := s.disputes[g.ID]
	if d == nil {
		return // it was not asked, or took too long
	}
	d.fetched[seeder] = true
	switch {
	case e.state == disputed:
		e.state, e.hash = decided, g.Hash
		l.counts.Disputed--
		l.counts.Decided++
	case e.state == decided && e.hash != g.Hash:
		e.state = unstable
		s.differed = s.heard
		l.counts.Unstable++
		l.counts.Newest = Place{infoHash, g.ID}
	}
}

// settle ends disputes that all seeders have fetched again, or that are old.
func (s *swarm) settle(now time.Time) {
	for id, d := range s.disputes {
		all := true
		for seeder, v := range s.covers {
			all = all && (d.fetched[seeder] || v.left || now.Sub(v.at) > disputeFor)
		}
		e := s.entries[id]
		if e == nil || now.Sub(d.since) > disputeFor || (all && e.state != disputed) {
			delete(s.disputes, id)
		}
	}
}

// forgetBelow drops the hashes of what a live playlist has left behind: no seeder vouches for it any more, and when the
// event ends, players name its last segments by their places, which are ids of its first ones. What a seeder vouched for
// that is silent stays for a minute: it tells each hash once.
func (l *Ledger) forgetBelow(s *swarm, now time.Time) {
	span := s.span(now, l.limits.CoverFor)
	if !span.open() {
		return
	}
	for _, v := range s.covers {
		if v.span.From <= v.span.To && now.Sub(v.at) <= returnsWithin {
			span.From = min(span.From, v.span.From)
		}
	}
	before := s.lowest
	s.lowest = span.From
	if span.From <= before {
		return
	}
	for id, e := range s.entries {
		if id < span.From {
			l.forget(e)
			delete(s.entries, id)
			delete(s.disputes, id)
		}
	}
}

// bound drops the lowest ids of a swarm that has too many. A tenth goes at once, so that this is rare.
func (l *Ledger) bound(s *swarm) {
	if len(s.entries) <= l.limits.PerSwarm {
		return
	}
	ids := slices.Sorted(maps.Keys(s.entries))
	for _, id := range ids[:len(ids)-l.limits.PerSwarm+l.limits.PerSwarm/10] {
		l.forget(s.entries[id])
		l.counts.Dropped++
		delete(s.entries, id)
		delete(s.disputes, id)
	}
}

// boundSwarms drops the swarms that were heard of longest ago.
func (l *Ledger) boundSwarms() {
	for len(l.swarms) > 1 && (len(l.swarms) > l.limits.Swarms || l.counts.Hashes > l.limits.Hashes) {
		oldest := ""
		for hash, s := range l.swarms {
			if o := l.swarms[oldest]; o == nil || s.heard.Before(o.heard) || (s.heard.Equal(o.heard) && hash < oldest) {
				oldest = hash
			}
		}
		for _, e := range l.swarms[oldest].entries {
			l.forget(e)
			l.counts.Dropped++
		}
		delete(l.swarms, oldest)
	}
}

func (l *Ledger) forget(e *entry) {
	l.counts.Hashes--
	if e.state == disputed {
		l.counts.Disputed--
	}
}

// List returns the hashes behind a segment, of the first of the info hashes that is known. A stream swarm id has one in each
// generation, and is a swarm in one of them only.
func (l *Ledger) List(name string, infoHashes []string, after int64, now time.Time) List {
	none := empty()
	out := List{Swarm: name, After: after, Hashes: []string{}, From: none.From, To: none.To}
	var s *swarm
	for _, hash := range infoHashes {
		if s = l.swarms[hash]; s != nil {
			break
		}
	}
	if s == nil || after < -1 || after >= MaxID {
		return out
	}
	span := s.span(now, l.limits.CoverFor)
	out.From, out.To = span.From, span.To
	for id := after + 1; id <= min(after+MaxHashes, s.newest); id++ {
		text := ""
		if e := s.entries[id]; e != nil && e.state != disputed && e.state != unstable {
			text = e.hash.String()
		}
		out.Hashes = append(out.Hashes, text)
		if e := s.entries[id]; e != nil && e.state == unstable {
			// What the origin itself does not agree on cannot be waited for: the list ends the span before it.
			out.To = min(out.To, id-1)
		}
	}
	return out
}

// span is what seeders vouch for: from the lowest to the highest id of any of them.
func (s *swarm) span(now time.Time, coverFor time.Duration) Span {
	out := empty()
	for _, v := range s.covers {
		if v.left || now.Sub(v.at) > coverFor || v.span.To < v.span.From {
			continue
		}
		if out.To < out.From {
			out = v.span
			continue
		}
		out = Span{min(out.From, v.span.From), max(out.To, v.span.To)}
	}
	return out
}

// Said returns what seeders say that a segment is; false if they do not say it, or do not agree on it now. different
// tells that the origin gave them different bytes of some segment of the swarm in the last ten minutes.
func (l *Ledger) Said(infoHash string, id int64, now time.Time) (h Hash, known, different bool) {
	s := l.swarms[infoHash]
	if s == nil {
		return Hash{}, false, false
	}
	different = now.Sub(s.differed) < differsFor
	e := s.entries[id]
	if e == nil || e.state == disputed || e.state == unstable {
		return Hash{}, false, different
	}
	return e.hash, true, different
}

// Counts returns what was seen so far.
func (l *Ledger) Counts() Counts {
	c := l.counts
	c.Swarms = len(l.swarms)
	return c
}
