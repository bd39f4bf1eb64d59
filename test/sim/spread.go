package sim

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// seeding is a seeder with its own decisions (runtime/loader/superseed).
type seeding struct {
	state   *superseed.State
	members map[*peer]*listener
	of      map[*superseed.Member]*peer
	window  []int64
}

// listener is a viewer that is connected with a seeder.
type listener struct {
	member   *superseed.Member
	withheld uint64 // segments that the seeder says are on their way
}

func newSeeding() *seeding {
	return &seeding{state: superseed.New(), members: map[*peer]*listener{}, of: map[*superseed.Member]*peer{}}
}

// known is what a tracker's message says of a viewer.
func known(p *peer, o signaling.Origin) (superseed.Group, superseed.Peer) {
	return superseed.Group{Site: o.Site, Cell: o.Cell, Near: o.Near},
		superseed.Peer{ID: p.id.String(), Gateway: o.Gateway, ReceiveOnly: o.ReceiveOnly}
}

// meet connects a viewer with a seeder.
func (w *world) meet(p, seeder *peer) {
	d := seeder.seeding
	if d.members[p] != nil {
		return
	}
	p.sources = append(p.sources, seeder)
	l := &listener{}
	d.members[p] = l
	if w.cfg.Without || w.cfg.Unspread {
		return // nothing is held back
	}
	group, who := known(p, seeder.told[p])
	l.member = d.state.Join(group, who, w.clock())
	d.of[l.member] = p
	d.state.Heard(l.member, func(n int64) bool { return p.held[int(n)] }, w.clock())
}

// part ends what seeders know of a viewer.
func (w *world) part(p *peer) {
	for _, seeder := range p.sources {
		d := seeder.seeding
		if l := d.members[p]; l != nil && l.member != nil {
			d.state.Leave(l.member)
			delete(d.of, l.member)
		}
		delete(d.members, p)
		delete(seeder.told, p)
	}
	p.sources = nil
}

// relocate has a seeder follow what the tracker says about a viewer that it is connected with.
func (w *world) relocate(p, seeder *peer) {
	d := seeder.seeding
	l := d.members[p]
	if l == nil || l.member == nil {
		return
	}
	group, who := known(p, seeder.told[p])
	if m := d.state.Change(l.member, group, who, w.clock()); m != l.member {
		delete(d.of, l.member)
		l.member, d.of[m] = m, p
		d.state.Heard(m, func(n int64) bool { return p.held[int(n)] }, w.clock())
	}
}

// announced has a viewer's seeders hear what it holds.
func (w *world) announced(p *peer) {
	for _, seeder := range p.sources {
		if l := seeder.seeding.members[p]; l != nil && l.member != nil {
			seeder.seeding.state.Heard(l.member, func(n int64) bool { return p.held[int(n)] }, w.clock())
		}
	}
}

// publish gives the newest segment to all seeders.
func (w *world) publish() {
	far := schedule.SpreadFor(w.cfg.Segment, entries, false)
	for _, seeder := range w.seeders {
		d := seeder.seeding
		d.window = d.window[:0]
		for n := max(0, w.newest-entries+1); n <= w.newest; n++ {
			d.window = append(d.window, int64(n))
		}
		d.state.SetTimes(far, far)
		d.state.SetWindow(d.window, func(m *superseed.Member, n int64) bool { return d.of[m].held[int(n)] }, w.clock())
	}
}

// settle lets the seeders decide.
func (w *world) settle() {
	now := w.clock()
	for _, seeder := range w.seeders {
		d := seeder.seeding
		d.state.Settle(now)
		for _, m := range d.state.Changed() {
			if p := d.of[m]; p != nil {
				d.members[p].withheld = d.state.Withheld(m, now)
			}
		}
	}
}

// offers reports whether a seeder says to a viewer that it holds a segment.
func (p *peer) offers(to *peer, segment int) bool {
	l := p.seeding.members[to]
	if l == nil {
		return false
	}
	if _, holds := slices.BinarySearch(p.seeding.window, int64(segment)); !holds {
		return false
	}
	return l.withheld&superseed.Bit(int64(segment)) == 0
}

// asked notes that a viewer takes a segment from a seeder.
func (w *world) asked(p, seeder *peer, segment int) {
	if l := seeder.seeding.members[p]; l != nil && l.member != nil {
		seeder.seeding.state.Asked(l.member, int64(segment), w.clock())
	}
}

// lostAfter is in what time a seeder finds that a viewer has gone without closing its connection.
const lostAfter = 15 * time.Second
