package onecopy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/core"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/playback"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

const generation = identity.V23

// member is a viewer or a seeder. It drives a core as package rendition does, without a network.
type member struct {
	w      *world
	core   *core.Core
	id     identity.PeerID
	seeder bool
	phase  time.Duration // after a publication it sees the segment
	hangs  bool          // the origin brings it nothing
	gone   bool
	links  []*link
	free   time.Time // when it has sent what was asked for
	play   *playback.Clock

	woken, acted time.Time
	told         *said
	expecting    *core.Segment // whose successor is announced as on its way
}

// said is an announcement.
type said struct {
	loaded  map[int64]struct{}
	loading []int64
}

// track is the playback of the one rendition.
type track struct {
	*playback.Clock
	track *playback.Track
}

// SetBuffered says how far it can be played.
func (t track) SetBuffered(until time.Duration, now time.Time) {
	t.Clock.SetBuffered(t.track, until, now)
}

func (w *world) newMember(seeder bool) *member {
	w.members++
	m := &member{w: w, seeder: seeder, id: identity.PeerID(fmt.Sprintf("%s%012d", identity.ViewerPrefix, w.members))}
	m.phase = time.Duration(w.rnd.Int64N(int64(target)))
	cfg := core.Config{
		Generations: []identity.Generation{generation}, Seed: w.rnd.Uint64(), Random: w.rnd.Float64,
		PrefetchDelay: 5 * time.Second, LiveDelaySegments: w.cfg.Behind,
		Limits: schedule.Limits{
			HTTPSlots: 2, PeerSlots: 3, Urgent: 3 * time.Second, HTTPAhead: 16 * time.Second, PeerAhead: 2 * time.Minute,
			Patience: 500 * time.Millisecond,
		},
	}
	var clock core.Clock
	if seeder {
		m.id = identity.PeerID(fmt.Sprintf("%s%012d", identity.SeederPrefix, w.members))
		m.phase = time.Duration(w.rnd.Int64N(int64(target / 20)))
		cfg.Seeder = true
	} else {
		m.play = playback.New(w.now)
		clock = track{m.play, m.play.AddTrack("v")}
		if w.cfg.Seeders > 0 {
			cfg.StartupWait = 350 * time.Millisecond
		}
	}
	m.core = core.New(cfg, driver{m}, store.New(storeBytes), clock, w.now)
	return m
}

// begin has a member take part.
func (m *member) begin() {
	m.core.Joined(m.w.now)
	m.refresh()
	m.tick()
}

// refresh loads the playlist each time that it may have changed.
func (m *member) refresh() {
	if m.gone {
		return
	}
	m.core.Merge(m.w.playlist(), m.w.now)
	m.wake()
	next := m.w.published.Add(target + m.phase)
	if !next.After(m.w.now) {
		next = next.Add(target)
	}
	m.w.after(next.Sub(m.w.now), m.refresh)
}

// tick acts from time to time.
func (m *member) tick() {
	if m.gone {
		return
	}
	m.act()
	every := viewerTick
	if m.seeder {
		every = seederTick
	}
	m.w.after(every, m.tick)
}

// wake acts soon.
func (m *member) wake() {
	if m.gone || !m.woken.Before(m.w.now) {
		return
	}
	wait := max(0, m.acted.Add(pause).Sub(m.w.now))
	m.woken = m.w.now.Add(wait)
	m.w.after(wait, m.act)
}

// act is one pass.
func (m *member) act() {
	if m.gone {
		return
	}
	now := m.w.now
	m.acted = now
	m.core.Settle(now)
	m.core.Tick(false, now)
	m.announce(now)
	m.core.Buffered(now)
	if until := m.core.Until(); until.After(now) {
		m.w.after(until.Sub(now), m.wake)
	}
}

// announce tells all peers what is held and what is on its way, if that changed.
func (m *member) announce(now time.Time) {
	expected := m.core.Expected(now)
	if !m.core.Changed && expected == m.expecting {
		return
	}
	m.core.Changed, m.expecting = false, expected
	next := &said{loaded: make(map[int64]struct{})}
	for _, seg := range m.core.Segments() {
		switch id := seg.ID(generation); m.core.Announced(seg, generation) {
		case schedule.Loaded:
			next.loaded[id] = struct{}{}
		case schedule.Loading:
			next.loading = append(next.loading, id)
		}
	}
	if expected != nil {
		next.loading = append(next.loading, expected.NextID(generation))
	}
	if m.told != nil && maps.Equal(m.told.loaded, next.loaded) && slices.Equal(m.told.loading, next.loading) {
		return
	}
	m.told = next
	for _, l := range m.links {
		m.tell(l)
	}
}

// tell sends the announcement to the other end of a connection.
func (m *member) tell(l *link) {
	if m.told == nil {
		return
	}
	told, other := m.told, l.back
	m.w.after(delay, func() {
		if !other.closed && !other.of.gone {
			other.hear(told.loaded, told.loading, m.w.now)
		}
	})
}

// meet opens a connection.
func (m *member) meet(other *member) {
	if m.gone || other.gone || m == other || slices.ContainsFunc(m.links, func(l *link) bool { return l.to == other }) {
		return
	}
	a, b := &link{of: m, to: other}, &link{of: other, to: m}
	a.back, b.back = b, a
	for _, l := range []*link{a, b} {
		l.of.links = append(l.of.links, l)
		l.of.core.Came(l)
		l.of.tell(l)
	}
}

// part forgets a connection.
func (m *member) part(l *link) {
	m.links = slices.DeleteFunc(m.links, func(other *link) bool { return other == l })
	m.core.Left(l)
}

// leave goes without a word; peers notice later.
func (m *member) leave() {
	m.gone = true
	for _, l := range slices.Clone(m.links) {
		m.w.after(silence, l.close)
	}
}
