package core

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// subject is a core whose driver carries out nothing before the test says so.
type subject struct {
	*Core
	d *record
}

// record is a driver that remembers what it is asked for.
type record struct {
	own       identity.PeerID
	reachable bool
	full      bool // there is no room for another transfer
	running   []*fetching
	asked     []string // URLs, in order
	size      func(url string) int
	transit   int               // bytes
	out       []store.Key       // that left the store and were not told of yet
	evicted   func([]store.Key) // tells of them
	tooLarge  int
	reloads   []bool
	stored    int
	compared  []int64 // media sequences

	checks, verifies bool
	examined         []Examination
	newSwarms        bool // the swarms are left for those of a new event
}

type fetching struct {
	seg     *Segment
	attempt int64
	stopped bool
}

func (f *fetching) Stop()            { f.stopped = true }
func (*fetching) Progress() Progress { return Progress{} }

func (d *record) Own() (identity.PeerID, bool) { return d.own, d.own != "" }
func (d *record) Reachable(time.Time) bool     { return d.reachable }
func (d *record) Spare() bool                  { return !d.full }

func (d *record) Fetch(seg *Segment, _ []byte, _ time.Time) Transfer {
	f := &fetching{seg: seg, attempt: seg.Attempt}
	d.running, d.asked = append(d.running, f), append(d.asked, seg.URL)
	return f
}

func (d *record) Ask(p Peer, _ *Segment, held []byte, now time.Time) {
	p.(*fakePeer).flight = &schedule.Flight{Since: now, Remaining: -1}
	p.(*fakePeer).bytes = held
}

func (d *record) Checks() bool                    { return d.checks }
func (d *record) Verifies() bool                  { return d.verifies }
func (d *record) Stored(*Segment, []byte)         { d.stored++ }
func (d *record) Compare(seg *Segment, _ []byte)  { d.compared = append(d.compared, seg.Sequence) }
func (d *record) Release(bytes int)               { d.transit -= bytes }
func (d *record) Discard(data []byte)             { d.transit -= len(data) }
func (d *record) Known(int)                       {}
func (d *record) Learned()                        {}
func (d *record) Forgotten()                      {}
func (d *record) NewEvent() bool                  { return d.newSwarms }
func (d *record) Reload(manifestToo bool)         { d.reloads = append(d.reloads, manifestToo) }
func (d *record) Jumped()                         {}
func (d *record) TooLarge(*Segment, int64, int64) { d.tooLarge++ }
func (d *record) Doubted()                        {}
func (d *record) Evicted(keys []store.Key)        { d.out = append(d.out, keys...) }

func (d *record) Check(e Examination) Transfer {
	d.examined = append(d.examined, e)
	return &fetching{seg: e.Segment}
}

func (d *record) Verify(e Examination) Transfer { return d.Check(e) }

// twice lists what the origin was asked for more than once.
func (d *record) twice() (out []string) {
	asked := map[string]int{}
	for _, url := range d.asked {
		asked[url]++
	}
	for url, n := range asked {
		if n > 1 {
			out = append(out, fmt.Sprintf("%s: %d times", url, n))
		}
	}
	return out
}

// deliver ends all transfers from the origin: they bring their segments.
func (r *subject) deliver(now time.Time) {
	for len(r.d.running) > 0 {
		f := r.d.running[0]
		r.d.running = r.d.running[1:]
		data := make([]byte, r.d.size(f.seg.URL))
		r.d.transit += len(data)
		r.Fetched(f.seg, f.attempt, data, int64(len(data)), Failure{}, now)
		if out := r.d.out; len(out) > 0 {
			r.d.out = nil
			r.d.evicted(out)
		}
	}
}

// stored is the store.
func (r *subject) stored() *store.Store { return r.store.(*store.Store) }

// fresh are bytes that have just arrived.
func (r *subject) fresh(n int) []byte {
	r.d.transit += n
	return make([]byte, n)
}

// subjectOf is a core of a viewer that has a store of its own of so many bytes, and segments of 1,000.
func subjectOf(cfg Config, limit int64, clock Clock) *subject {
	d := &record{size: func(string) int { return 1000 }}
	if cfg.Generations == nil {
		cfg.Generations = []identity.Generation{identity.V23}
	}
	cfg.Random, cfg.Patience, cfg.WaitLimit = rand.Float64, 1500*time.Millisecond, 10*time.Second
	cfg.Limits = schedule.Limits{
		HTTPSlots: 4, PeerSlots: 6, Urgent: 3 * time.Second, HTTPAhead: 16 * time.Second, PeerAhead: 2 * time.Minute,
		Patience: 500 * time.Millisecond,
	}
	r := &subject{New(cfg, d, store.New(limit), clock, time.Now()), d}
	d.evicted = r.Evicted
	return r
}

// idle is a viewer without peers, with n segments from first on.
func idle(t testing.TB, first int64, n int) *subject {
	t.Helper()
	r := subjectOf(Config{Alone: true}, 256<<20, nil)
	r.Merge(playlistOf(first, n), time.Now())
	return r
}

func playlistOf(first int64, n int) *manifest.Playlist {
	p := &manifest.Playlist{Live: true, TargetDuration: 4 * time.Second, MediaSequence: first}
	for i := range n {
		p.Segments = append(p.Segments, manifest.Segment{Sequence: first + int64(i), URL: fmt.Sprintf("http://h/%d", first+int64(i)), Duration: 4 * time.Second})
	}
	return p
}

// fakePeer is a connection to a peer that announces what the test says.
type fakePeer struct {
	id         identity.PeerID
	origin     signaling.Origin
	seeder     bool
	speed      int64
	said       *Announcement
	claims     map[int64]time.Time
	flight     *schedule.Flight
	bytes      []byte
	blamed     int
	unreliable bool
	convicted  bool
}

func (p *fakePeer) ID() identity.PeerID             { return p.id }
func (p *fakePeer) Generation() identity.Generation { return identity.V23 }
func (p *fakePeer) Seeder() bool                    { return p.seeder }
func (p *fakePeer) Origin() signaling.Origin        { return p.origin }
func (p *fakePeer) Speed() int64                    { return p.speed }
func (p *fakePeer) Announced() *Announcement        { return p.said }
func (p *fakePeer) Convict()                        { p.convicted = true }

func (p *fakePeer) Blame(unreliable bool) {
	p.blamed++
	p.unreliable = unreliable
}

func (p *fakePeer) Flight() (schedule.Flight, bool) {
	if p.flight == nil {
		return schedule.Flight{Remaining: -1}, false
	}
	return *p.flight, true
}

func (p *fakePeer) Cancel() (data []byte, total int64, running bool) {
	if p.flight == nil {
		return nil, -1, false
	}
	p.flight = nil
	return p.bytes, -1, true
}

// says has a peer announce what it holds and what it is fetching. A claim that is made again keeps its age.
func says(p *fakePeer, loaded, loading []int64) {
	held := make(map[int64]struct{}, len(loaded))
	for _, id := range loaded {
		held[id] = struct{}{}
	}
	claims := make(map[int64]time.Time, len(loading))
	for _, id := range loading {
		claims[id] = time.Now()
		if since, ok := p.claims[id]; ok {
			claims[id] = since
		}
	}
	p.said, p.claims = NewAnnouncement(held, claims), claims
}

// connect opens a connection to a viewer.
func connect(r *subject) *fakePeer {
	p := &fakePeer{id: "-PE000000000000000001"}
	r.Came(p)
	return p
}

// announce has a peer say that it holds the segments with these ids.
func announce(p *fakePeer, loaded ...int64) { says(p, loaded, nil) }

func (r *subject) meetSeeder(n int, near bool) *fakePeer {
	return r.meetSeederOf(n, signaling.Origin{Near: near})
}

func (r *subject) meetSeederOf(n int, origin signaling.Origin) *fakePeer {
	p := &fakePeer{id: identity.PeerID(fmt.Sprintf("-PS0001-%012d", n)), seeder: true, origin: origin}
	r.Came(p)
	return p
}

// loading are the ids that are announced as on their way.
func (r *subject) loading() (ids []int64) {
	for _, seg := range r.table.order {
		if r.Announced(seg, identity.V23) == schedule.Loading {
			ids = append(ids, seg.ID(identity.V23))
		}
	}
	return ids
}

func held(r *subject) (out []int64) {
	for _, seg := range r.table.order {
		if seg.Held() {
			out = append(out, seg.Sequence)
		}
	}
	return out
}

// inFlight are the segments that the origin has been asked for.
func inFlight(r *subject) (out []int64) {
	for _, seg := range r.table.order {
		if seg.State == schedule.Fetching {
			out = append(out, seg.Sequence)
		}
	}
	return out
}

// drive lets a seeder act at now until nothing is on its way.
func drive(r *subject, now time.Time) {
	for {
		r.Settle(now)
		r.Retire(now)
		r.seed(now)
		if len(r.d.running) == 0 {
			return
		}
		r.deliver(now)
	}
}

// listed is a playlist of the segments first to last of 2 s, whose names begin with prefix.
func listed(prefix string, first, last int64) *manifest.Playlist {
	p := &manifest.Playlist{Live: true, TargetDuration: 2 * time.Second, MediaSequence: first, Entries: int(last - first + 1)}
	for n := first; n <= last; n++ {
		p.Segments = append(p.Segments, manifest.Segment{
			Sequence: n, URL: fmt.Sprintf("http://h/%s%d", prefix, n), Start: time.Duration(n) * 2 * time.Second, Duration: 2 * time.Second,
		})
	}
	return p
}

// film is the same on demand, of n segments from 0 on.
func film(prefix string, n int64) *manifest.Playlist {
	p := listed(prefix, 0, n-1)
	p.Live = false
	return p
}
