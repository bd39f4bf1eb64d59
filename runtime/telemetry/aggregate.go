package telemetry

import (
	"errors"
	"math"
	"time"
)

// Config bounds an Aggregate. Zero values take the defaults in parentheses.
type Config struct {
	Interval         time.Duration // between two reports of a peer (5 s)
	LiveIntervals    int           // silent intervals after which a session no longer counts as live (3)
	Window           time.Duration // span of the windowed sums (60 s)
	Lifetime         time.Duration // a session silent for this long is forgotten (24 h)
	MaxSessions      int           // sessions remembered, the longest silent goes first (100,000)
	MaxGroups        int           // combinations of stream, role and site; further sites count as "" (1,024)
	MaxSites         int           // sites with figures; further ones count as OtherSite (1,024)
	MaxCells         int           // renditions at sites with figures; further ones count as OtherRendition (8,192)
	MaxBitsPerSecond int64         // cap on what a viewer's session can have received, and uploaded (100 Mbit/s)
	SeederCap        int64         // the same for a seeder, in bits per second (100 Gbit/s)
	BurstBytes       int64         // what the caps allow at once on top, once in the life of a session (64 MiB)
	ReportBurst      int           // reports a session may send at once (4); two per interval are always allowed
	// OnlyRead says that a reader (the operator) stores the totals across restarts: nothing is acknowledged before it is
	// stored (MarkRead), from the first report on. Without OnlyRead that applies for a minute after each reading.
	OnlyRead bool
	Boot     string // names this run of the tracker in receipts
}

func (c Config) withDefaults() Config {
	c.Interval = orDefault(c.Interval, 5*time.Second)
	c.LiveIntervals = orDefault(c.LiveIntervals, 3)
	c.Window = orDefault(c.Window, time.Minute)
	c.Lifetime = orDefault(c.Lifetime, 24*time.Hour)
	c.MaxSessions = orDefault(c.MaxSessions, 100_000)
	c.MaxGroups = orDefault(c.MaxGroups, 1024)
	c.MaxSites = orDefault(c.MaxSites, maxSites)
	c.MaxCells = orDefault(c.MaxCells, maxCells)
	c.MaxBitsPerSecond = orDefault(c.MaxBitsPerSecond, 100_000_000)
	c.SeederCap = orDefault(c.SeederCap, 100_000_000_000)
	c.BurstBytes = orDefault(c.BurstBytes, 64<<20)
	c.ReportBurst = orDefault(c.ReportBurst, 4)
	return c
}

func orDefault[T int | int64 | time.Duration](v, d T) T {
	if v <= 0 {
		return d
	}
	return v
}

// Sender identifies the sender of a report, as established by the receiver and not by the report itself.
type Sender struct {
	Key    string    // unique among the sessions of its role
	Stream string    // stream it belongs to
	Site   string    // place in the network, "" when unknown
	Alone  bool      // by the policy of its site it takes all from the origin
	Role   Role      // proven, not claimed
	Began  time.Time // when its session was issued; zero when unknown
	// Vouched is when another tracker said that the session has a socket there; zero: it has one here. A vouched session
	// counts as a viewer there only.
	Vouched time.Time
	// Interval is after what time the sender is asked to report again; 0: Config.Interval.
	Interval time.Duration
}

// Result is what an accepted report changed.
type Result struct {
	Acked    Counters  // cumulative counters of the session that are stored permanently
	Receipts []Receipt // for what is counted above Acked
	Delta    Counters  // what this report added to the sums
	First    bool      // the session was not known before
	Stalls   int       // added stalls
	StallMs  int64     // added milliseconds of stalls
	Checks   Checks    // added checks of segments
	Startup  int64     // milliseconds of startup if this report is the first to state it, else 0
	Played   []Played  // the part of it that is attributed to renditions and sources
	Excess   int64     // bytes that the report claimed and the stream could not have delivered; they are not counted
	Clamped  bool      // stalls or startup were more than there was time for, and are cut
}

// Aggregate sums reports. One goroutine at a time may use it.
type Aggregate struct {
	cfg       Config
	boot      time.Time
	bootNanos int64
	records   records
	work      session // the one that is looked at
	buffer    []byte  // to pack it
	names     names
	seeders   map[recordID]*seeder // those that reported a state
	groups    map[GroupKey]*group
	refused   map[Reason]int64
	evicted   int64
	media     Media

	renditions  map[string]string // names by what peers call them; nil: as they say
	sites       map[siteKey]*site
	cells       int       // of all sites
	sitesSwept  time.Time // when sites were last looked through
	foldedSites int64
	foldedCells int64

	// evictedUpTo is the latest issue time of a forgotten session. A session issued before it may have been counted
	// already, so the first report of such a session without a base is only a baseline.
	evictedUpTo int64

	readAt    time.Time              // when the totals were last read to be stored; zero: never
	reading   int64                  // number of that reading
	changed   bool                   // viewers' totals differ from that reading
	walk      uint64                 // how many times MarkRead was called
	confirmed uint64                 // the last such call that told that the reading before it is stored
	owing     map[recordID][]Receipt // counted by earlier trackers; not known yet whether those readings were stored

	waits map[string]*waiting  // of viewers, by stream
	due   map[int64][]recordID // those that count as live, by the second in which that, or what they play, may end
}

// NewAggregate returns an empty aggregate of a tracker that started at boot.
func NewAggregate(cfg Config, boot time.Time) *Aggregate {
	return &Aggregate{cfg: cfg.withDefaults(), boot: boot, bootNanos: boot.UnixNano(), seeders: map[recordID]*seeder{},
		owing: map[recordID][]Receipt{}, groups: map[GroupKey]*group{}, sites: map[siteKey]*site{}, refused: map[Reason]int64{},
		waits: map[string]*waiting{}, due: map[int64][]recordID{}, evictedUpTo: math.MinInt64}
}

// Refuse counts a report that was refused before Accept.
func (a *Aggregate) Refuse(reason Reason) { a.refused[reason]++ }

// Accept takes a decoded report of a sender whose session has been verified. The error is a *RefusalError, already
// counted; then the report has had no effect.
//
// The first report of a session adds its counters minus the base it states. Without a base it adds everything if the
// session has never reported to any tracker (sequence 1) or began in this boot, else nothing, since an earlier boot may
// have counted it. Bytes with receipts are added when MarkRead shows that the readings which include them are not stored.
func (a *Aggregate) Accept(from Sender, r Report, now time.Time) (Result, error) {
	result, err := a.accept(from, r, now)
	var refusal *RefusalError
	if errors.As(err, &refusal) {
		a.refused[refusal.Reason]++
	}
	return result, err
}

func (a *Aggregate) accept(from Sender, r Report, now time.Time) (Result, error) {
	if err := r.check(); err != nil {
		return Result{}, err
	}
	if r.Role != from.Role {
		return Result{}, refuse(Unauthorized, "role does not match the credentials")
	}
	key := recordKeyOf(from.Role, from.Key)
	id, known := a.records.byKey[key]
	if !known {
		return a.first(from, key, r, now)
	}
	s, at := &a.work, a.clock(now)
	a.unpack(s, id)
	elapsed := time.Duration(max(at-s.last, 0))
	allowance := min(s.allowance+2*float64(elapsed)/float64(a.cfg.Interval), float64(a.cfg.ReportBurst))
	switch {
	case r.Sequence == s.sequence:
		return Result{}, refuse(Replayed, "sequence was accepted before")
	case r.Sequence < s.sequence:
		return Result{}, refuse(OutOfOrder, "a later sequence was accepted before")
	case !r.Counters.AtLeast(s.counters) || r.Stalls < s.stalls || r.StallMs < s.stallMs:
		return Result{}, refuse(Decreasing, "a counter decreased")
	case allowance < 1:
		return Result{}, refuse(TooOften, "reports come faster than the reporting interval")
	}
	budget, delta := a.grant(s.budget, from.Role, elapsed), r.Counters.Sub(s.counters)
	if err := budget.spend(delta); err != nil {
		return Result{}, err
	}
	delta, excess := budget.spendMedia(delta)
	a.uncount(s) // as what it was until now
	a.catchUp(s)
	s.budget = budget
	result := Result{Delta: delta, Excess: excess, Stalls: r.Stalls - s.stalls, StallMs: r.StallMs - s.stallMs, Checks: r.checks().Sub(s.checks)}
	if s.startupMs == 0 {
		result.Startup = r.StartupMs
	}
	result.plausible(elapsed, time.Duration(at-s.began), s.patience()/time.Duration(a.cfg.LiveIntervals))
	s.allowance = allowance - 1
	s.group = a.group(from) // a laptop that moved counts for its current site
	a.update(s, from, r, now)
	a.add(s, result, elapsed, now)
	result.Played = a.place(s, from, r, result.Delta, false, elapsed, now)
	result.Acked, result.Receipts = a.acknowledge(s, now)
	a.count(s, s.last)
	a.pack(s)
	return result, nil
}

// add sums what a report added.
func (a *Aggregate) add(s *session, r Result, elapsed time.Duration, now time.Time) {
	s.group.add(r, elapsed, now)
	viewer := !s.is(seeds)
	if viewer {
		a.wait(s.group.key.Stream, r, now)
	}
	// Only counters that the reader stores make a new reading.
	if viewer && (r.Delta.Received() > 0 || r.Delta.Discarded > 0) {
		a.changed = true
	}
}

func (a *Aggregate) first(from Sender, key recordKey, r Report, now time.Time) (Result, error) {
	result := Result{First: true}
	began := from.Began
	fresh := r.Sequence == 1 || (!began.IsZero() && !began.Before(a.boot) && a.clock(began) > a.evictedUpTo)
	base := r.Counters
	switch {
	case r.Base != nil:
		base = *r.Base
	case fresh:
		base = Counters{}
		result.Stalls, result.StallMs, result.Checks = r.Stalls, r.StallMs, r.checks()
	}
	if r.Sequence == 1 {
		result.Startup = r.StartupMs
	}
	if began.IsZero() || began.After(now) {
		began = now
	}
	elapsed := now.Sub(began)
	if from.Began.IsZero() {
		// A peer without an issue time may have received bytes for the whole lifetime of a session.
		elapsed = a.cfg.Lifetime
	}
	result.plausible(elapsed, elapsed, max(from.Interval, a.cfg.Interval))
	budget := a.grant(a.newBudget(), from.Role, a.claimable(from, elapsed, now))
	claim := r.Counters.Sub(base)
	if err := budget.spend(claim); err != nil {
		return Result{}, err
	}
	// What the stream could not have delivered counts as received before: also receipts for it are void.
	claim, result.Excess = budget.spendMedia(claim)
	base = r.Counters.Sub(claim)
	a.forget(now, a.cfg.MaxSessions-1)
	s, id := &a.work, a.records.add(key)
	*s = session{record: a.records.at(id), id: id, began: a.clock(began), allowance: float64(a.cfg.ReportBurst - 1), budget: budget,
		walk: a.walk, played: s.played[:0]}
	s.set(seeds, from.Role == RoleSeeder)
	result.Delta = r.Counters.Sub(a.addReceipts(s, base, r.Receipts))
	s.group = a.group(from)
	a.update(s, from, r, now)
	if r.Base != nil {
		elapsed = 0 // the base is recent even if the session is old: the window counts all bytes above it
	}
	a.add(s, result, elapsed, now)
	// What was told to another tracker is not known, so only a session without a past counts from the beginning.
	result.Played = a.place(s, from, r, result.Delta, r.Base != nil || !fresh, elapsed, now)
	result.Acked, result.Receipts = a.acknowledge(s, now)
	a.count(s, s.last)
	a.pack(s)
	return result, nil
}

// update takes over what a report says of the session, and makes it the most recently heard one.
func (a *Aggregate) update(s *session, from Sender, r Report, now time.Time) {
	a.records.heard(s.id)
	s.last = a.clock(now)
	s.until = s.last + int64(time.Duration(a.cfg.LiveIntervals)*max(from.Interval, a.cfg.Interval))
	s.set(vouched, !from.Vouched.IsZero())
	s.sequence, s.counters, s.peers = r.Sequence, r.Counters, int32(r.Peers) // at most maxPeers
	s.stalls, s.stallMs, s.startupMs, s.checks = r.Stalls, r.StallMs, max(s.startupMs, r.StartupMs), r.checks()
	if r.Seeder != nil {
		a.seeders[s.id] = &seeder{id: from.Key, state: *r.Seeder}
	}
	if known := a.seeders[s.id]; known != nil {
		known.at = now
	}
}
