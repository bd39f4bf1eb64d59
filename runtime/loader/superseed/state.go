package superseed

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
)

// Window is how many segments at the live edge are held back at most. Older ones are offered to all: players that are so
// far behind are few and need not be at the same place.
const Window = 64

// Group names the viewers that can give each other segments.
type Group struct {
	Swarm string // viewers of different swarms call segments by different names
	Site  string
	Cell  int
	Near  bool // they are in the seeder's own site
}

// Peer is what is known of a viewer when it connects.
type Peer struct {
	ID          string // as all seeders of the swarm see it
	Seeder      bool   // a seeder of the same site
	Gateway     bool   // it is there to bring segments into its site
	ReceiveOnly bool   // it is never chosen
}

// Stats count what was decided. Segments are counted once for each group.
type Stats struct {
	Segments int64 // that were spread
	Told     int64 // viewers that were told of a segment because they were chosen
	Late     int64 // those of them that were told because another one was late
	Opened   int64 // segments that some viewers still lacked when all were told
	Unchosen int64 // times that a segment was not held back because no viewer could be chosen
	GroupOff int64 // times that a group was found not to share
	HeldBack int   // segments that are held back now, counted for each viewer
	Groups   int   // now
	Off      int   // groups that are off now
}

// State is what a seeder knows of the viewers of one rendition. It is not safe for concurrent use.
type State struct {
	far, near schedule.SpreadTimes
	order     []int64             // media sequences of the window, ascending
	since     map[int64]time.Time // when the seeder had them
	groups    map[Group]*group
	due       timers
	pending   []*spread // to be decided
	changed   []*Member // what they are told may have changed
	stats     Stats
	sharers   []schedule.Sharer // reused
	names     func(sequence int64) int64
}

// New returns a state without viewers that holds nothing back.
func New() *State { return &State{since: make(map[int64]time.Time), groups: make(map[Group]*group)} }

// SetNames says what peers call a segment, where that is not its media sequence: seeders that number segments otherwise then
// choose the same viewers.
func (s *State) SetNames(names func(sequence int64) int64) { s.names = names }

type group struct {
	name    Group
	members []*Member
	spreads map[int64]*spread
	far     bool // false: near
	health
}

// spread is one segment in one group.
type spread struct {
	sequence  int64
	name      int64 // the same for all seeders
	group     *group
	since     time.Time // when it could first be told
	holders   int
	firstHeld time.Time
	open      bool // no viewer can be chosen
	phase     phase
	lookback
	due     time.Time // the valid timer; zero: none
	pending bool
}

type phase int

const (
	spreading phase = iota
	opened          // every viewer that lacks it is told
	over
)

// Member is one viewer of a group.
type Member struct {
	peer   Peer
	seed   uint64
	group  *group
	joined time.Time
	last   time.Time // when it last got or asked for a segment
	begun  bool
	// playing says that it held so much when it connected that it is no newcomer: it had other sources before.
	playing bool
	missed  bool // it lacked the last segment that was looked back at
	gone    bool
	use
	usual  time.Duration // how long it takes until it has a segment
	toldAt map[int64]time.Time

	holds, asked, told, overdue uint64 // one bit for each segment of the window
	withheld                    uint64 // as said last
	due                         time.Time
	changed                     bool
}

// Bit is the place of a segment in a set of segments of the window: they are consecutive enough to differ.
func Bit(sequence int64) uint64 { return 1 << (uint64(sequence) % Window) }

// times are those of a group.
func (s *State) times(g *group) schedule.SpreadTimes {
	if g.far {
		return s.far
	}
	return s.near
}

// on tells whether segments are held back from a group.
func (s *State) on(g *group, now time.Time) bool { return s.times(g).On() && !now.Before(g.offUntil) }

// Stats returns what was counted so far, and how it stands at now.
func (s *State) Stats(now time.Time) Stats {
	out := s.stats
	out.Groups = len(s.groups)
	for _, g := range s.groups {
		if now.Before(g.offUntil) {
			out.Off++
		}
	}
	return out
}

// Changed returns the viewers for which Withheld may say something else than before, and forgets them.
func (s *State) Changed() []*Member {
	out := s.changed
	s.changed = nil
	for _, m := range out {
		m.changed = false
	}
	return out
}

func (s *State) touch(m *Member) {
	if !m.changed {
		m.changed = true
		s.changed = append(s.changed, m)
	}
}

func (s *State) touchAll(g *group) {
	for _, m := range g.members {
		s.touch(m)
	}
}

func (s *State) pend(p *spread) {
	if !p.pending {
		p.pending = true
		s.pending = append(s.pending, p)
	}
}

// Reset forgets all viewers and segments. What was counted stays.
func (s *State) Reset() {
	fresh := New()
	fresh.far, fresh.near, fresh.stats = s.far, s.near, s.stats
	fresh.stats.HeldBack = 0
	*s = *fresh
}
