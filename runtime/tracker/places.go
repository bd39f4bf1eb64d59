package tracker

import (
	"maps"
	"sync"

	"github.com/p2pstream/p2pstream/runtime/tracker/sockets"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

// places knows where the clients of all sockets are.
type places struct {
	mu sync.Mutex
	// of says where a client is; nil: no sites are configured.
	of       func(sockets.Client) swarm.Place
	sessions map[*session]struct{}
	// viewers are the sessions by the ticket that their reports come with.
	viewers map[string][]*session
	// bySite counts the sockets of viewers.
	bySite  map[string]int
	stopped chan struct{}
}

func newPlaces() places {
	return places{sessions: map[*session]struct{}{}, viewers: map[string][]*session{}, bySite: map[string]int{}, stopped: make(chan struct{})}
}

// find returns where a client is.
func (p *places) find(c sockets.Client) *swarm.Place {
	var place swarm.Place
	if p.of != nil {
		place = p.of(c)
	}
	return &place
}

func (p *places) enter(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.place.Store(p.find(s.client))
	p.sessions[s] = struct{}{}
	p.count(s, 1)
	if ticket := s.client.Ticket.Session; ticket != "" && !s.client.Seeder {
		p.viewers[ticket] = append(p.viewers[ticket], s)
	}
}

func (p *places) leave(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.sessions[s]; ok {
		p.count(s, -1)
	}
	delete(p.sessions, s)
	ticket := s.client.Ticket.Session
	all := p.viewers[ticket]
	for i := range all {
		if all[i] == s {
			all[i] = all[len(all)-1]
			all[len(all)-1] = nil
			all = all[:len(all)-1]
			break
		}
	}
	if p.viewers[ticket] = all; len(all) == 0 {
		delete(p.viewers, ticket)
	}
}

// change sets what says where clients are, and returns the sessions whose clients are somewhere else now.
func (p *places) change(of func(sockets.Client) swarm.Place) (moved []*session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of = of
	for s := range p.sessions {
		if place := p.find(s.client); *place != *s.place.Load() {
			p.count(s, -1)
			s.place.Store(place)
			p.count(s, 1)
			moved = append(moved, s)
		}
	}
	return moved
}

// count adds n to the viewers of a session's site. p.mu is held.
func (p *places) count(s *session, n int) {
	if s.client.Seeder {
		return
	}
	site := s.place.Load().Site
	if p.bySite[site] += n; p.bySite[site] == 0 {
		delete(p.bySite, site)
	}
}

// viewersBySite returns how many sockets viewers of each site have; empty is no site.
func (p *places) viewersBySite() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.bySite)
}

// reporting returns the sessions with a ticket; none without sites.
func (p *places) reporting(ticket string) []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		return nil
	}
	return append([]*session(nil), p.viewers[ticket]...)
}

// stop ends calls that wait for a shard.
func (p *places) stop() { close(p.stopped) }

// setPlaces sets what says where a client is, and moves the clients of open sockets that it places elsewhere. of is called
// for each new socket, must not block, and may be nil: then there are no sites. It may be set again at any time.
func (h *hub) setPlaces(of func(sockets.Client) swarm.Place) {
	for _, moved := range h.places.change(of) {
		h.tell(moved, func(j *job) { j.kind = jobPlace }, true)
	}
}

// delivered passes on what a viewer reported to have uploaded to peers, in bytes since its report before.
func (h *hub) delivered(ticket string, bytes int64) {
	for _, s := range h.places.reporting(ticket) {
		h.tell(s, func(j *job) { j.kind, j.delivered = jobDelivered, bytes }, false)
	}
}

// tell gives a job to each shard that knows a session. A job that need not arrive is dropped while a shard is busy.
func (h *hub) tell(s *session, fill func(*job), must bool) {
	for i, shard := range h.shards {
		if s.used.Load()&(1<<i) == 0 {
			continue
		}
		j := jobs.Get().(*job)
		fill(j)
		j.sess = s
		if must {
			select {
			case shard.in <- j:
			case <-h.places.stopped:
				j.release()
			}
			continue
		}
		select {
		case shard.in <- j:
		default:
			j.release()
		}
	}
}
