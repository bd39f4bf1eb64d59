package schedule

import "time"

// State says where a segment stands at this peer.
type State int

// The states of a segment.
const (
	Missing   State = iota // not held and not requested
	Held                   // all bytes here
	Fetching               // coming from the origin over HTTP
	Requested              // coming from a peer
)

// Holding says what a peer announced about one segment.
type Holding int

// What peers announce.
const (
	Absent  Holding = iota // neither held nor on its way
	Loading                // being fetched from the origin: wait for it
	Loaded                 // can be requested
)

// Flight describes a running transfer.
type Flight struct {
	Peer      int       // index into View.Peers; meaningless for Fetching
	Since     time.Time // when it was asked for
	LastBytes time.Time // when bytes last arrived; zero if none did
	Received  int64     // bytes received in this flight
	Remaining int64     // bytes still to come; negative if unknown
}

// Segment is one segment of the playlist, in playlist order.
type Segment struct {
	ID       int64         // stable number of the segment inside its rendition
	Start    time.Duration // presentation time
	Duration time.Duration
	State    State
	Flight   Flight    // set for Fetching and Requested
	RetryAt  time.Time // the origin is not asked again before this time
	NotFrom  int       // index of a peer that just failed to deliver it; -1 if none
	// Unproven is how often bytes of peers could not be checked. After the first time, seeders and the origin are asked,
	// which have what can be checked, and after the second time the origin.
	Unproven int
}

// End is the presentation time at which the segment ends.
func (s Segment) End() time.Duration { return s.Start + s.Duration }

// Peer is one connected peer.
type Peer struct {
	Seeder bool                   // by its peer id's label; a preference, never trust
	Busy   bool                   // a request to it is running (one per connection and direction)
	Speed  float64                // bytes per second of its last deliveries; 0 if unknown
	Holds  func(id int64) Holding // what it announced
}

// Limits bound what a viewer does at once.
type Limits struct {
	HTTPSlots int           // simultaneous fetches from the origin
	PeerSlots int           // simultaneous requests to peers; as many again that are urgent
	Urgent    time.Duration // a segment that starts sooner than this after the playhead does not wait for peers
	HTTPAhead time.Duration // how far ahead of the playhead the origin may be asked at all
	PeerAhead time.Duration // how far ahead of the playhead peers may be asked
	Patience  time.Duration // how long an urgent request to a peer may bring no byte before the origin takes over
}

// View is what a viewer knows at one moment.
type View struct {
	Now          time.Time
	Playhead     time.Duration // presentation time; of no meaning with Needs
	Segments     []Segment     // playlist order
	Peers        []Peer
	Limits       Limits
	Needs        []Need                 // what is needed and when, see Demand; nil: everything from Playhead on, when it is played
	WaitUntil    time.Time              // start-up: before this time the origin is not asked, the viewer waits for peers
	PrefetchFrom time.Time              // before this time the origin is asked for urgent segments only
	Lottery      func(id int64) float64 // this viewer's own number in [0,1) for a segment; spreads prefetching over viewers
	// Rank takes the place of Lottery where peers elect who asks the origin: this viewer's place for a segment, 0 being the
	// first; nil: all draw lots. FetchTime is about how long the origin takes for one; 0: as long as it plays.
	Rank      func(id int64) int
	FetchTime time.Duration
	Random    func() float64 // [0,1)

	// Election is for viewers that play in order; nil: turns depend on when a segment is needed alone.
	Election *Election

	// Room takes room for a missing segment, an index into Segments; false: it would not stay. It is called for what is
	// needed, the soonest first, until one does not fit: nothing behind that one is got, so that no segment displaces one
	// that is needed sooner. nil: there is always room.
	Room func(i int) bool
}

// Kind is what an action does.
type Kind int

// The kinds of action.
const (
	Fetch   Kind = iota // ask the origin (keeping bytes already held)
	Request             // ask a peer
	Abandon             // end the running transfer, and keep its bytes
)

// Action is one decision about one segment.
type Action struct {
	Kind    Kind
	Segment int // index into View.Segments
	Peer    int // index into View.Peers; for Request, and for Abandon unless it ends a transfer from the origin (−1)
}
