package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/p2pstream/p2pstream/runtime/signaling"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker/swarm"
)

var (
	start = time.Unix(1_700_000_000, 0)
	hash  = signaling.ID([]byte("tlCIAIrI13koYCQLatNp"))
)

// peer is a viewer or a seeder.
type peer struct {
	number int
	site   *place // nil: a seeder
	sock   *swarm.Socket
	id     signaling.ID
	joined time.Duration
	next   time.Duration // of the next announce
	gone   bool
	known  bool // the tracker knows that it has gone

	player   player
	near     []*peer // connected viewers
	sources  []*peer // connected seeders
	held     map[int]bool
	taking   map[int]bool
	crossing map[int]bool // what it takes over the line
	lacks    int          // the oldest segment that it plays and does not hold
	up, down int          // segments that move now
	// delivered is how many bytes it gave to other viewers since its last report.
	delivered int64

	// Of a seeder: its decisions, and what the tracker told it of viewers.
	seeding *seeding
	told    map[*peer]signaling.Origin
}

// place is a site.
type place struct {
	name    string
	size    int
	line    float64
	viewers []*peer
	moving  int // transfers over the line
	figures siteFigures
}

type opening struct {
	at   time.Duration
	a, b *peer
}

// ending is when the tracker finds that a viewer has gone or, if lost, seeders do.
type ending struct {
	at   time.Duration
	p    *peer
	lost bool
}

// world is one run.
type world struct {
	cfg      Config
	rnd      *rand.Rand
	core     *swarm.Core
	now      time.Duration
	places   []*place
	seeders  []*peer
	peers    map[int]*peer
	count    int
	openings []opening
	endings  []ending
	offers   uint64
	moving   []*transfer
	newest   int // segment
	figures  Figures
}

func newWorld(cfg Config) *world {
	routing := swarm.Defaults()
	routing.SeederPeers = 4000
	if cfg.Cell > 0 {
		routing.CellSize = cfg.Cell
	}
	if cfg.Gateways > 0 {
		routing.Gateways = cfg.Gateways
	}
	if cfg.Without {
		routing.SeederPeers = 1 << 20
	}
	w := &world{cfg: cfg, figures: Figures{Crossings: Crossings{}}, rnd: rand.New(rand.NewPCG(cfg.Seed, 1)), peers: map[int]*peer{}, newest: before,
		core: swarm.NewCore(routing, nil, rand.New(rand.NewPCG(cfg.Seed, 2)))}
	for i := range cfg.Sites {
		size := float64(cfg.Least)
		if cfg.Sites > 1 {
			size *= math.Pow(float64(cfg.Most)/size, float64(i)/float64(cfg.Sites-1))
		}
		at := &place{name: fmt.Sprintf("site%03d", i), size: int(math.Round(size)), line: cfg.Line}
		if at.size > cfg.LineViewers {
			at.line *= 5
		}
		w.places = append(w.places, at)
	}
	for range cfg.Seeders {
		p := w.newPeer(nil)
		w.seeders = append(w.seeders, p)
		w.announce(p, 0)
	}
	return w
}

func (w *world) newPeer(at *place) *peer {
	p := &peer{number: w.count, site: at, id: signaling.ID([]byte(fmt.Sprintf("-PM0203-%012d", w.count))), joined: w.now,
		held: map[int]bool{}, taking: map[int]bool{}, crossing: map[int]bool{}}
	if at == nil {
		p.seeding, p.told = newSeeding(), map[*peer]signaling.Origin{}
	}
	p.sock = &swarm.Socket{Ref: p, Seeder: at == nil}
	if !w.cfg.Without {
		p.sock.Place = swarm.Place{Site: "datacentre", Peering: sites.Full}
		if at != nil {
			p.sock.Place.Site = at.name
		}
	}
	w.count++
	w.peers[p.number] = p
	return p
}

// join lets a viewer come.
func (w *world) join(at *place) {
	p := w.newPeer(at)
	p.player = player{first: max(0, w.newest-backlog+1), from: w.now, sees: w.newest, phase: time.Duration(w.rnd.Int64N(int64(w.cfg.Segment)))}
	p.lacks = p.player.first
	at.viewers = append(at.viewers, p)
	w.announce(p, 5)
}

// leave lets a viewer go, with its connections. The tracker learns it with the socket, and seeders with the connection.
func (w *world) leave(p *peer, silent bool) {
	p.gone = true
	for i, q := range p.site.viewers {
		if q == p {
			p.site.viewers[i] = p.site.viewers[len(p.site.viewers)-1]
			p.site.viewers = p.site.viewers[:len(p.site.viewers)-1]
			break
		}
	}
	for _, q := range p.near {
		for i, back := range q.near {
			if back == p {
				q.near[i] = q.near[len(q.near)-1]
				q.near = q.near[:len(q.near)-1]
				break
			}
		}
	}
	p.near = nil
	if !silent {
		w.part(p)
		w.closed(p)
		return
	}
	w.endings = append(w.endings, ending{at: w.now + deadAfter, p: p}, ending{at: w.now + lostAfter, p: p, lost: true})
}

func (w *world) closed(p *peer) {
	if !p.known {
		p.known = true
		w.deliver(w.core.Close(p.sock))
		delete(w.peers, p.number)
	}
}

func (w *world) clock() time.Time { return start.Add(w.now) }

func (w *world) announce(p *peer, offers int) {
	p.next = w.now + 30*time.Second
	m := signaling.ClientMessage{Action: signaling.ActionAnnounce, InfoHash: hash, PeerID: p.id, NumWant: offers}
	for range offers {
		w.offers++
		m.Offers = append(m.Offers, signaling.Offer{SDP: signaling.Raw(`"s"`), ID: signaling.Raw(fmt.Sprintf(`"%020d"`, w.offers))})
	}
	w.deliver(w.core.Handle(p.sock, &m, w.clock()))
}

// deliver has the recipients do what messages make them do: they answer offers unless they are connected already, and announce
// when they are asked to.
func (w *world) deliver(all []swarm.Delivery) {
	type message struct {
		to *peer
		m  signaling.TrackerMessage
	}
	var in []message
	for _, d := range all { // what follows calls the core again
		to := d.To.Ref.(*peer)
		switch {
		case d.Probe && to.gone:
			w.endings = append(w.endings, ending{at: w.now + probedAfter, p: to})
		case !d.Probe && !to.gone:
			m, err := signaling.ParseTrackerMessage(append([]byte(nil), d.Payload...))
			if err != nil {
				panic(err) // the tracker's own message
			}
			in = append(in, message{to, m})
		}
	}
	for _, x := range in {
		to, m := x.to, x.m
		if m.Interval > 0 {
			to.next = w.now + time.Duration(m.Interval)*time.Second
		}
		if m.OffersWanted > 0 {
			w.announce(to, m.OffersWanted)
		}
		if m.HasAbout {
			if about := w.peerOf(m.About); about != nil && to.site == nil {
				to.told[about] = m.Origin
				w.relocate(about, to)
			}
		}
		switch from := w.sender(m); {
		case from == nil:
		case m.Kind == signaling.KindOffer && !w.connected(to, from):
			to.noteOrigin(from, m)
			w.deliver(w.core.Handle(to.sock, &signaling.ClientMessage{Action: signaling.ActionAnswer, InfoHash: hash, PeerID: to.id,
				ToPeerID: m.PeerID, SDP: m.SDP, OfferID: m.OfferID}, w.clock()))
		case m.Kind == signaling.KindAnswer:
			to.noteOrigin(from, m)
			w.openings = append(w.openings, opening{w.now + connectLeast + time.Duration(w.rnd.Int64N(int64(connectLeast))), to, from})
		}
	}
}

// noteOrigin notes what a seeder is told of a viewer.
func (p *peer) noteOrigin(from *peer, m signaling.TrackerMessage) {
	if p.site == nil {
		p.told[from] = m.Origin
	}
}

func (w *world) sender(m signaling.TrackerMessage) *peer {
	if m.Kind != signaling.KindOffer && m.Kind != signaling.KindAnswer {
		return nil
	}
	return w.peerOf(m.PeerID)
}

func (w *world) peerOf(id signaling.ID) *peer {
	n, err := strconv.Atoi(id.String()[8:])
	if err != nil {
		panic(err) // ids of this package end in a number
	}
	return w.peers[n]
}

func (w *world) connected(a, b *peer) bool {
	if b.site == nil {
		a, b = b, a
	}
	if a.site == nil {
		return a.seeding.members[b] != nil
	}
	for _, q := range a.near {
		if q == b {
			return true
		}
	}
	return false
}

// connect opens what is due.
func (w *world) connect() {
	keep := w.openings[:0]
	for _, o := range w.openings {
		switch {
		case o.at > w.now:
			keep = append(keep, o)
		case o.a.gone || o.b.gone || w.connected(o.a, o.b):
		case o.a.site == nil:
			w.meet(o.b, o.a)
		case o.b.site == nil:
			w.meet(o.a, o.b)
		default:
			if o.a.site != o.b.site {
				w.figures.Across++
			}
			o.a.near, o.b.near = append(o.a.near, o.b), append(o.b.near, o.a)
		}
	}
	w.openings = keep
}

// end closes the sockets that are found dead.
func (w *world) end() {
	due := w.endings
	w.endings = nil
	for _, e := range due {
		switch {
		case e.at > w.now:
			w.endings = append(w.endings, e)
		case e.lost:
			w.part(e.p)
		default:
			w.closed(e.p)
		}
	}
}
