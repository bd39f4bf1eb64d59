package schedule

import "time"

// Viewer returns what a viewer does now. Actions are in the order in which
// they should be carried out: an Abandon precedes the Fetch that continues it.
//
// The rules, nearest segment first:
//   - a peer that holds the segment is always asked first: inside a site it is
//     faster than the origin even when the playhead is near;
//   - an urgent segment whose peer is silent for Patience, or would finish
//     after it is needed, is continued from the origin, or from another peer
//     while the origin cannot be asked;
//   - one that is not urgent leaves a peer that would still be at it then;
//   - an urgent segment that the origin brings too slowly is asked of a free
//     peer that holds it by now;
//   - an urgent segment that no free peer holds is fetched from the origin,
//     even if a peer says that it is on its way;
//   - any other segment that a peer is fetching is waited for;
//   - any other segment that no peer has is fetched by the viewer with the
//     highest random number, so that of many viewers about one asks the origin
//     and the others see it announced before their own turn, see Election; where
//     peers elect one it is fetched by that one, and by the others if it does not
//     come;
//   - what could not be checked is not asked of viewers again, and at most once
//     of a seeder;
//   - what would not stay is not got, and nothing behind it.
func Viewer(v View) []Action {
	p := planner{View: v}
	for _, s := range v.Segments {
		switch s.State {
		case Fetching:
			p.http++
		case Requested:
			p.began(false)
		}
	}
	p.taken = make([]bool, len(v.Peers))
	if v.Needs == nil {
		v.Needs = fromPlayhead(v)
	}
	for _, n := range v.Needs {
		if v.Segments[n.Segment].State == Requested && n.Lead <= v.Limits.Urgent {
			p.urgent++
		}
	}
	for _, n := range v.Needs {
		s := &v.Segments[n.Segment]
		if s.State == Held || n.Lead > v.Limits.PeerAhead {
			continue
		}
		if s.State != Missing || p.fits(n) {
			p.segment(n.Segment, s, n.Lead)
		}
	}
	return p.actions
}

// fromPlayhead is the need of a viewer that plays in order.
func fromPlayhead(v View) []Need {
	var needs []Need
	for i := range v.Segments {
		s := &v.Segments[i]
		if s.End() <= v.Playhead {
			continue
		}
		lead := s.Start - v.Playhead
		if lead > v.Limits.PeerAhead {
			break
		}
		needs = append(needs, Need{Segment: i, Lead: lead})
	}
	return needs
}

type planner struct {
	View
	actions        []Action
	http, requests int
	urgent         int    // of the requests
	taken          []bool // peers asked in this very plan
	full           bool   // a segment that is needed sooner did not fit
}

// fits tells whether a missing segment may be got.
func (p *planner) fits(n Need) bool {
	if p.Room == nil {
		return true
	}
	p.full = p.full || !p.Room(n.Segment)
	return !p.full || n.Waited
}

func (p *planner) segment(i int, s *Segment, lead time.Duration) {
	urgent := lead <= p.Limits.Urgent
	switch s.State {
	case Requested:
		p.requested(i, s, lead, urgent)
		return
	case Fetching:
		p.fetching(i, s, lead, urgent)
		return
	}
	holder, anyHolds, anyLoads := p.holder(s, urgent)
	if p.Election != nil && (anyHolds || anyLoads) {
		p.Election.Since(i, true)
	}
	if holder >= 0 && p.mayRequest(urgent) {
		p.request(i, holder, urgent)
		return
	}
	if !p.mayFetch(s, urgent) {
		return
	}
	switch {
	case urgent:
		p.fetch(i)
	case anyHolds || anyLoads:
	case p.Election != nil && p.chosen(i, s, lead), p.Election == nil && lead <= p.turn(s):
		p.fetch(i)
	}
}

// requested looks after a request to a peer.
func (p *planner) requested(i int, s *Segment, lead time.Duration, urgent bool) {
	switch {
	case urgent && !p.late(s, lead), !urgent && !p.tooSlow(s, lead):
		return
	case urgent && p.mayFetch(s, urgent):
		p.act(Abandon, i, s.Flight.Peer)
		p.ended(urgent)
		p.fetch(i)
		return
	}
	// The peer that is too slow is busy, so it is not chosen again.
	if holder, _, _ := p.holder(s, urgent); holder >= 0 {
		p.act(Abandon, i, s.Flight.Peer)
		p.ended(urgent)
		p.request(i, holder, urgent)
	}
}

// fetching looks after a transfer from the origin.
func (p *planner) fetching(i int, s *Segment, lead time.Duration, urgent bool) {
	if !urgent || !p.originLate(s, lead) || !p.mayRequest(urgent) {
		return
	}
	if holder, _, _ := p.holder(s, urgent); holder >= 0 {
		p.act(Abandon, i, -1)
		p.http--
		p.request(i, holder, urgent)
	}
}

// turn is the lead at which it is this viewer's turn to fetch a segment that
// no peer has. A viewer without peers does not wait.
func (p *planner) turn(s *Segment) time.Duration {
	if len(p.Peers) == 0 {
		return p.Limits.HTTPAhead
	}
	if p.Rank != nil {
		return p.elected(s)
	}
	span := p.Limits.HTTPAhead - p.Limits.Urgent
	return p.Limits.Urgent + time.Duration(p.Lottery(s.ID)*float64(span))
}

// elected is the turn of a viewer among peers that elect one. The first one
// does not wait for its playhead, since the others wait for it.
func (p *planner) elected(s *Segment) time.Duration {
	fetch := p.FetchTime
	if fetch <= 0 {
		fetch = s.Duration
	}
	patience, backup := Patience(p.Rank(s.ID), fetch)
	if !backup {
		return p.Limits.PeerAhead
	}
	return p.Limits.Urgent + patience
}

func (p *planner) mayFetch(s *Segment, urgent bool) bool {
	slots := p.Limits.HTTPSlots
	if urgent {
		slots++ // prefetching must not hold up what is about to be played
	} else if p.Now.Before(p.PrefetchFrom) {
		return false
	}
	return p.http < slots && !p.Now.Before(s.RetryAt) && !p.Now.Before(p.WaitUntil)
}

// late tells whether a request to a peer is unlikely to end in time: the peer is
// silent, or at its pace it ends after the segment is needed.
func (p *planner) late(s *Segment, lead time.Duration) bool {
	f := s.Flight
	last := f.LastBytes
	if last.IsZero() {
		last = f.Since
	}
	if p.Now.Sub(last) >= p.Limits.Patience {
		return true
	}
	eta, ok := p.eta(f, p.Limits.Patience)
	return ok && eta > max(lead, p.Limits.Patience)
}

// eta is how long a transfer still takes at its pace; false if that is unknown:
// it has received nothing, has no known size, or has run for less than after.
func (p *planner) eta(f Flight, after time.Duration) (time.Duration, bool) {
	elapsed := p.Now.Sub(f.Since)
	if f.Received == 0 || f.Remaining < 0 || elapsed < after {
		return 0, false
	}
	return time.Duration(float64(elapsed) * float64(f.Remaining) / float64(f.Received)), true
}

// A transfer that is not urgent is judged after so many times the patience, and so
// is a transfer from the origin, since leaving it costs a request.
const (
	notUrgentFactor = 4
	originFactor    = 2
)

// tooSlow tells whether a request to a peer that is not urgent will still run
// when it becomes urgent. A peer that sends nothing at all has its own timeout.
func (p *planner) tooSlow(s *Segment, lead time.Duration) bool {
	eta, ok := p.eta(s.Flight, notUrgentFactor*p.Limits.Patience)
	return ok && eta > lead-p.Limits.Urgent
}

// originLate tells whether an urgent transfer from the origin is unlikely to end in
// time.
func (p *planner) originLate(s *Segment, lead time.Duration) bool {
	f, patience := s.Flight, originFactor*p.Limits.Patience
	if f.Since.IsZero() {
		return false
	}
	last := f.LastBytes
	if last.IsZero() {
		last = f.Since
	}
	if p.Now.Sub(last) >= patience {
		return true
	}
	eta, ok := p.eta(f, patience)
	return ok && eta > max(lead, patience)
}

// holder picks a free peer that holds the segment, or -1.
func (p *planner) holder(s *Segment, urgent bool) (holder int, anyHolds, anyLoads bool) {
	var candidates []int
	for i := range p.Peers {
		if s.Unproven > 1 || (s.Unproven == 1 && !p.Peers[i].Seeder) {
			continue
		}
		switch p.Peers[i].Holds(s.ID) {
		case Loaded:
			anyHolds = true
			if !p.Peers[i].Busy && !p.taken[i] && i != s.NotFrom {
				candidates = append(candidates, i)
			}
		case Loading:
			anyLoads = true
		}
	}
	return p.choose(candidates, urgent), anyHolds, anyLoads
}

// choose draws one candidate. If it is not urgent, viewers come before seeders:
// they are many and near, and a seeder's uplink is for viewers without other
// peers. Otherwise all are equal. Measured speeds are the weights; a peer
// without one counts as the average, so that new peers are chosen, too.
func (p *planner) choose(candidates []int, urgent bool) int {
	if !urgent {
		var viewers []int
		for _, c := range candidates {
			if !p.Peers[c].Seeder {
				viewers = append(viewers, c)
			}
		}
		if len(viewers) > 0 {
			candidates = viewers
		}
	}
	if len(candidates) == 0 {
		return -1
	}
	var sum float64
	measured := 0
	for _, c := range candidates {
		if s := p.Peers[c].Speed; s > 0 {
			sum += s
			measured++
		}
	}
	average := 1.0
	if measured > 0 {
		average = sum / float64(measured)
	}
	total := sum + average*float64(len(candidates)-measured)
	draw := p.Random() * total
	for _, c := range candidates {
		weight := p.Peers[c].Speed
		if weight <= 0 {
			weight = average
		}
		if draw -= weight; draw < 0 {
			return c
		}
	}
	return candidates[len(candidates)-1]
}

func (p *planner) fetch(i int) {
	p.act(Fetch, i, -1)
	p.http++
}

// mayRequest tells whether there is a slot for one more request to a peer. Urgent ones have slots of their own:
// prefetching must not hold up what is about to be played.
func (p *planner) mayRequest(urgent bool) bool {
	if urgent {
		return p.urgent < p.Limits.PeerSlots
	}
	return p.requests < p.Limits.PeerSlots
}

func (p *planner) request(i, holder int, urgent bool) {
	p.act(Request, i, holder)
	p.taken[holder] = true
	p.began(urgent)
}

func (p *planner) began(urgent bool) {
	p.requests++
	if urgent {
		p.urgent++
	}
}

func (p *planner) ended(urgent bool) {
	p.requests--
	if urgent {
		p.urgent--
	}
}

func (p *planner) act(k Kind, segment, peer int) {
	p.actions = append(p.actions, Action{Kind: k, Segment: segment, Peer: peer})
}
