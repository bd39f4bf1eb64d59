package rendition

import (
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// spreading is which held segments a live seeder holds back from which peers: they are announced to these as on their way,
// because another peer of their group brings them. The rendition's owner has it.
type spreading struct {
	state     *superseed.State // nil: nothing is held back
	window    map[int64]bool   // media sequences that may be held back
	listeners map[*session.Session]*listener
	sessions  map[*superseed.Member]*session.Session
	heard     map[*session.Session]bool // they announced something since the last pass
	counted   superseed.Stats           // added to the engine's counters
}

// listener is a peer whose announcements are its own.
type listener struct {
	member  *superseed.Member
	origin  signaling.Origin // as known to the member
	version int              // of what it was told last
	set     uint64           // held back from it then
}

// maxVariants bounds the encoded announcements that are kept to be sent again. Most viewers are told the same.
const maxVariants = 64

func newSpreading(s *Settings) spreading {
	if !s.Seeder || s.UploadDisabled || s.SuperSeeding == superseed.Off || s.SuperSeeding == "" {
		return spreading{}
	}
	return spreading{
		state:     superseed.New(),
		listeners: make(map[*session.Session]*listener),
		sessions:  make(map[*superseed.Member]*session.Session),
		heard:     make(map[*session.Session]bool),
	}
}

// end stops holding back for good.
func (a *spreading) end() {
	a.forget()
	a.state = nil
}

// forget drops all peers: those of the swarms that are joined next are others.
func (a *spreading) forget() {
	if a.state == nil {
		return
	}
	a.state.Reset()
	clear(a.listeners)
	clear(a.sessions)
	clear(a.heard)
	a.window = nil
}

func (a *spreading) inWindow(sequence int64) bool { return a.window[sequence] }

// listen makes a new peer one from which segments may be held back.
func (r *Rendition) listen(s *session.Session, now time.Time) {
	a := &r.announcer
	if a.state == nil {
		return
	}
	if s.Seeder() && (r.shared.Settings.Edge || s.Origin().Shares) {
		return // seeders that share their work get from each other what one of them has, see core/fill.go
	}
	o := s.Origin()
	group, peer, ok := r.known(s, o)
	if !ok {
		return
	}
	m := a.state.Join(group, peer, now)
	a.listeners[s], a.sessions[m] = &listener{member: m, origin: o}, s
	a.heard[s] = true // its first announcement may have come before
}

// known is what is known of a peer at a place, and of which group it is; false: nothing is held back from it.
func (r *Rendition) known(s *session.Session, o signaling.Origin) (superseed.Group, superseed.Peer, bool) {
	group, ok := r.shared.Settings.SuperSeeding.Of(superseed.Group{
		Swarm: string(s.Generation()), Site: o.Site, Cell: o.Cell, Near: o.Near,
	}, s.Seeder())
	return group, superseed.Peer{ID: string(s.ID()), Seeder: s.Seeder(), Gateway: o.Gateway, ReceiveOnly: o.ReceiveOnly}, ok
}

// relocate follows what the tracker says about peers since they connected.
func (r *Rendition) relocate(now time.Time) {
	a := &r.announcer
	for _, s := range r.sessions {
		o, l := s.Origin(), a.listeners[s]
		if l == nil {
			if o.Site != "" {
				r.listen(s, now)
			}
			continue
		}
		if o == l.origin {
			continue
		}
		group, peer, ok := r.known(s, o)
		if !ok {
			a.leaves(s)
			r.announceTo(s, now)
			continue
		}
		l.origin = o
		if m := a.state.Change(l.member, group, peer, now); m != l.member {
			delete(a.sessions, l.member)
			l.member, a.sessions[m], a.heard[s] = m, s, true
		}
	}
}

// leaves forgets a peer whose connection has ended.
func (a *spreading) leaves(s *session.Session) {
	l := a.listeners[s]
	if l == nil {
		return
	}
	a.state.Leave(l.member)
	delete(a.listeners, s)
	delete(a.sessions, l.member)
	delete(a.heard, s)
}

// hears notes that a peer announced something. It may be called by any goroutine.
func (r *Rendition) hears(s *session.Session) {
	r.mail.Post(func() {
		if r.announcer.listeners[s] != nil {
			r.announcer.heard[s] = true
		}
	})
}

// asked notes that a peer asked for a held segment. It may be called by any goroutine.
func (r *Rendition) asked(s *session.Session, id int64) {
	r.mail.Post(func() {
		l := r.announcer.listeners[s]
		key, ok := r.index.Held(s.Generation(), id)
		if l == nil || !ok {
			return
		}
		if seg := r.core.ByKey(key); seg != nil {
			r.announcer.state.Asked(l.member, seg.Sequence, time.Now())
		}
	})
}

// spread brings what is held back up to date; changed says that other segments may be held than before.
func (r *Rendition) spread(changed bool, now time.Time) {
	a := &r.announcer
	if a.state == nil {
		return
	}
	r.relocate(now)
	if changed {
		r.setWindow(now)
	}
	for s := range a.heard {
		if l := a.listeners[s]; l != nil {
			if s.Announced().LoadedLen() > 0 {
				a.state.Began(l.member)
			}
			a.state.Heard(l.member, func(sequence int64) bool { return r.announces(s, sequence) }, now)
		}
	}
	clear(a.heard)
	a.state.Settle(now)
	r.count(now)
}

// announces tells whether a peer says that it holds a segment.
func (r *Rendition) announces(s *session.Session, sequence int64) bool {
	return s.Announced().Holding(r.core.ExternalID(sequence, s.Generation()), time.Time{}) == schedule.Loaded
}

// setWindow says which segments may be held back: those of a live playlist in reach of players at the edge, if these play
// far enough behind it.
func (r *Rendition) setWindow(now time.Time) {
	a, p := &r.announcer, r.core.Playlist()
	var far, near schedule.SpreadTimes
	if p.Live && !p.Ended && !r.core.Silent() {
		far = schedule.SpreadFor(p.TargetDuration, p.Entries, false)
		near = schedule.SpreadFor(p.TargetDuration, p.Entries, true)
	}
	var held []int64
	if n := len(r.core.Segments()); far.On() && n > 0 {
		edge := r.core.Segments()[n-1]
		reach := edge.Start + edge.Duration - schedule.LiveReach
		for _, seg := range slices.Backward(r.core.Segments()) {
			if seg.Start < reach || len(held) == superseed.Window {
				break
			}
			if seg.Held() && seg.InPlaylist() {
				held = append(held, seg.Sequence)
			}
		}
		slices.Sort(held)
		held = slices.Compact(held)
	}
	a.window = make(map[int64]bool, len(held))
	for _, sequence := range held {
		a.window[sequence] = true
	}
	a.state.SetTimes(far, near)
	a.state.SetWindow(held, func(m *superseed.Member, sequence int64) bool {
		s := a.sessions[m]
		return s != nil && r.announces(s, sequence)
	}, now)
}

// tellChanged tells the peers that are to know something else than before.
func (r *Rendition) tellChanged(now time.Time) {
	a := &r.announcer
	if a.state == nil {
		return
	}
	for _, m := range a.state.Changed() {
		if s := a.sessions[m]; s != nil {
			r.tellListener(s, a.listeners[s], a.last[s.Generation()], now)
		}
	}
}

// tellListener sends a peer its own announcement, if that makes a difference to it.
func (r *Rendition) tellListener(s *session.Session, l *listener, last *encoded, now time.Time) {
	set := r.announcer.state.Withheld(l.member, now)
	if last == nil {
		return
	}
	if l.version == last.version && (set^l.set)&^l.member.Holds() == 0 {
		return
	}
	messages, err := r.variant(last, set)
	if err != nil {
		r.log.Error("encoding announcement failed", "error", err)
		return
	}
	l.version, l.set = last.version, set
	s.SendEncoded(messages)
}

// variant is an announcement in which a set of the held segments are on their way.
func (r *Rendition) variant(e *encoded, set uint64) ([][]byte, error) {
	if set == 0 || len(e.places) == 0 {
		return e.messages, nil
	}
	if messages, ok := e.variants[set]; ok {
		return messages, nil
	}
	c := wire.Command{Code: wire.SegmentsAnnouncement, Loading: slices.Clone(e.loading)}
	for _, id := range e.loaded {
		if e.places[id]&set != 0 {
			c.Loading = append(c.Loading, id)
		} else {
			c.Loaded = append(c.Loaded, id)
		}
	}
	messages, err := r.encode(c)
	if err != nil {
		return nil, err
	}
	if e.variants == nil || len(e.variants) == maxVariants {
		e.variants = make(map[uint64][][]byte)
	}
	e.variants[set] = messages
	return messages, nil
}

// count adds what was decided since the last pass to the engine's counters.
func (r *Rendition) count(now time.Time) {
	stats, last, c := r.announcer.state.Stats(now), r.announcer.counted, &r.shared.Counters.Spread
	c.Segments.Add(stats.Segments - last.Segments)
	c.Told.Add(stats.Told - last.Told)
	c.Late.Add(stats.Late - last.Late)
	c.Opened.Add(stats.Opened - last.Opened)
	c.Unchosen.Add(stats.Unchosen - last.Unchosen)
	c.GroupsOff.Add(stats.GroupOff - last.GroupOff)
	r.announcer.counted = stats
}

// rest is how long the owner may rest after a pass at now: tick, or until a segment has to be told to the next peer, or is not
// waited for any longer.
func (r *Rendition) rest(now time.Time, tick time.Duration) time.Duration {
	if r.leaving {
		return tick
	}
	due := []time.Time{r.core.Until()}
	if r.announcer.state != nil {
		due = append(due, r.announcer.state.Next())
	}
	for _, next := range due {
		if !next.IsZero() {
			tick = min(tick, max(next.Sub(now), minPause))
		}
	}
	return tick
}
