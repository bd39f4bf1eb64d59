package rendition

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/superseed"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

// listening is a viewer's end of a connection to the seeder: it keeps the last announcement, and what it was sent.
type listening struct {
	id     identity.PeerID
	mu     sync.Mutex
	origin signaling.Origin
	joiner wire.Joiner
	last   wire.Command
	told   int      // announcements
	media  int      // bytes
	codes  []string // of other commands
}

func (c *listening) ID() identity.PeerID { return c.id }
func (c *listening) Origin() signaling.Origin {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.origin
}

func (c *listening) move(to signaling.Origin) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.origin = to
}
func (c *listening) Close(error) {}
func (c *listening) Send(msg []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.joiner.PushAt(msg, time.Now())
	switch {
	case e.Kind != wire.GotCommand:
	case e.Command.Code == wire.SegmentsAnnouncement:
		c.last = e.Command
		c.told++
	default:
		c.codes = append(c.codes, e.Command.Code.String())
	}
	return nil
}

func (c *listening) SendWait(_ context.Context, msg []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.media += len(msg)
	return nil
}

// offers tells whether the seeder said that it holds a segment, and whether it said that it is on its way.
func (c *listening) offers(id int64) (loaded, loading bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.last.Loaded, id), slices.Contains(c.last.Loading, id)
}

// liveSeeder is a live seeder's rendition without a running owner that holds ten segments from 100 on.
func liveSeeder(t *testing.T, mode superseed.Mode, generations ...identity.Generation) *Rendition {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	shared := newShared(source)
	shared.Settings.Seeder, shared.Settings.SuperSeeding = true, mode
	if len(generations) > 0 {
		shared.Settings.Generations = generations
	}
	r := New(t.Context(), shared, manifest.Rendition{Name: "a"})
	t.Cleanup(func() { r.stop(); shared.Work.Wait() })
	r.core.Merge(timed(100, 10), time.Now())
	hold(t, r, "bytes")
	r.announce(time.Now())
	return r
}

func timed(first int64, n int) *manifest.Playlist {
	p := playlistOf(first, n)
	p.Entries = n
	for i := range p.Segments {
		p.Segments[i].Start = time.Duration(p.Segments[i].Sequence) * 4 * time.Second
	}
	return p
}

// member connects a viewer that announces the segments with these media sequences.
func member(t *testing.T, r *Rendition, n int, g identity.Generation, o signaling.Origin, holds ...int64) (*session.Session, *listening) {
	t.Helper()
	c := &listening{id: identity.PeerID(fmt.Sprintf("-PM0203-%012d", n)), origin: o}
	s := session.New(r.ctx, &r.sessionConfig, checkedSwarm, g, c)
	r.opened(s)
	has(t, r, s, holds...)
	return s, c
}

// has makes a viewer announce segments.
func has(t *testing.T, r *Rendition, s *session.Session, sequences ...int64) {
	t.Helper()
	var ids []int64
	for _, n := range sequences {
		ids = append(ids, r.core.ExternalID(n, s.Generation()))
	}
	announce(t, s, ids...)
	spreadPass(r, time.Now())
}

// pass does what the owner does at now.
func spreadPass(r *Rendition, now time.Time) {
	for _, work := range r.mail.Take() {
		work()
	}
	if !r.leaving {
		r.announce(now)
	}
}

// publish adds one segment, which the seeder holds at once.
func publish(t *testing.T, r *Rendition, now time.Time) int64 {
	t.Helper()
	first := r.core.Playlist().MediaSequence + 1
	r.core.Merge(timed(first, 10), now)
	hold(t, r, "bytes")
	spreadPass(r, now)
	return first + 9
}

func offeredTo(r *Rendition, n int64, g identity.Generation, all ...*listening) (loaded, waiting int) {
	for _, c := range all {
		l, p := c.offers(r.core.ExternalID(n, g))
		switch {
		case l:
			loaded++
		case p:
			waiting++
		}
	}
	return loaded, waiting
}

// TestOneViewerOfASiteIsOfferedASegment, of each site and each generation; the rest learns that it is on its way.
func TestOneViewerOfASiteIsOfferedASegment(t *testing.T) {
	r := liveSeeder(t, superseed.Auto, identity.V22, identity.V23)
	everything := []int64{100, 101, 102, 103, 104, 105, 106, 107, 108, 109}
	groups := map[string][]*listening{}
	generation := map[string]identity.Generation{}
	n := 0
	for _, g := range []identity.Generation{identity.V22, identity.V23} {
		for _, site := range []string{"berlin", "paris"} {
			for range 4 {
				n++
				_, c := member(t, r, n, g, signaling.Origin{Site: site}, everything...)
				groups[string(g)+site], generation[string(g)+site] = append(groups[string(g)+site], c), g
			}
		}
	}
	_, outside := member(t, r, 99, identity.V23, signaling.Origin{}, everything...)
	next := publish(t, r, time.Now())
	for name, all := range groups {
		if loaded, waiting := offeredTo(r, next, generation[name], all...); loaded != 1 || waiting != 3 {
			t.Errorf("%s: offered to %d, on its way for %d", name, loaded, waiting)
		}
	}
	if loaded, _ := offeredTo(r, next, identity.V23, outside); loaded != 1 {
		t.Error("it is held back from a viewer of no site")
	}
	r.count(time.Now())
	if got := r.shared.Counters.Spread.Told.Load(); got < 4 {
		t.Errorf("%d were told", got)
	}
}

// TestOffersWiden: the chosen one gets nothing, and in the end all are offered the segment.
func TestOffersWiden(t *testing.T) {
	r := liveSeeder(t, superseed.Always)
	now := time.Now()
	var all []*listening
	var sessions []*session.Session
	for n := range 5 {
		s, c := member(t, r, n, identity.V23, signaling.Origin{}, 109)
		all, sessions = append(all, c), append(sessions, s)
	}
	now = now.Add(time.Minute)
	next := publish(t, r, now)
	want := func(what string, want int) {
		t.Helper()
		if loaded, waiting := offeredTo(r, next, identity.V23, all...); loaded != want || waiting != len(all)-want {
			t.Errorf("%s: offered to %d, on its way for %d", what, loaded, waiting)
		}
	}
	want("at once", 1)
	if due := r.announcer.state.Next(); due.IsZero() || due.After(now.Add(2*time.Second)) {
		t.Errorf("the next viewer is chosen at %v", due.Sub(now))
	}
	spreadPass(r, now.Add(1600*time.Millisecond))
	want("when the first one is late", 2)
	for i, c := range all {
		if loaded, _ := offeredTo(r, next, identity.V23, c); loaded == 1 {
			r.closed(sessions[i], nil)
			all = slices.Delete(all, i, i+1)
			break
		}
	}
	spreadPass(r, now.Add(1700*time.Millisecond))
	if loaded, _ := offeredTo(r, next, identity.V23, all...); loaded < 1 {
		t.Error("no viewer is offered the segment after one has left")
	}
	spreadPass(r, now.Add(4500*time.Millisecond))
	want("when time is up", len(all))
}

// TestAHolderServesItsSite: as soon as one viewer has a segment, the others that were offered it are to ask that one.
func TestAHolderServesItsSite(t *testing.T) {
	r := liveSeeder(t, superseed.Always)
	var all []*listening
	var sessions []*session.Session
	for n := range 4 {
		s, c := member(t, r, n, identity.V23, signaling.Origin{}, 109)
		all, sessions = append(all, c), append(sessions, s)
	}
	now := time.Now().Add(time.Minute)
	next := publish(t, r, now)
	spreadPass(r, now.Add(1600*time.Millisecond))
	holder := slices.IndexFunc(all, func(c *listening) bool { l, _ := offeredTo(r, next, identity.V23, c); return l == 0 })
	announce(t, sessions[holder], r.core.ExternalID(109, identity.V23), r.core.ExternalID(next, identity.V23))
	spreadPass(r, now.Add(1700*time.Millisecond))
	for i, c := range all {
		if loaded, _ := offeredTo(r, next, identity.V23, c); loaded == 1 && i != holder {
			t.Errorf("viewer %d is offered what viewer %d has", i, holder)
		}
	}
	told := all[holder].told
	spreadPass(r, now.Add(1800*time.Millisecond))
	if all[holder].told != told {
		t.Error("a viewer was told the same again")
	}
}

// TestWhatIsHeldBackIsServed: a viewer may have learned of it elsewhere.
func TestWhatIsHeldBackIsServed(t *testing.T) {
	r := liveSeeder(t, superseed.Always)
	var all []*listening
	var sessions []*session.Session
	for n := range 3 {
		s, c := member(t, r, n, identity.V23, signaling.Origin{}, 109)
		all, sessions = append(all, c), append(sessions, s)
	}
	now := time.Now().Add(time.Minute)
	next := publish(t, r, now)
	for i, c := range all {
		if _, waiting := offeredTo(r, next, identity.V23, c); waiting == 0 {
			continue
		}
		request := wire.Command{Code: wire.SegmentRequest, SegmentID: r.core.ExternalID(next, identity.V23), RequestID: 1, Fields: wire.FieldSegmentID | wire.FieldRequestID}
		messages, err := wire.Encode(request, wire.DefaultMaxMessageSize)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			sessions[i].Message(m)
		}
		r.shared.Work.Wait() // the upload
		c.mu.Lock()
		if c.media == 0 || slices.Contains(c.codes, wire.SegmentAbsent.String()) {
			t.Errorf("%d bytes sent, %v", c.media, c.codes)
		}
		c.mu.Unlock()
		spreadPass(r, now.Add(10*time.Millisecond))
		if loaded, _ := offeredTo(r, next, identity.V23, c); loaded == 0 {
			t.Error("it is held back from one that is getting it")
		}
		return
	}
	t.Error("it is held back from no viewer")
}

// TestNothingIsHeldBack where there is no time for a relay, nothing is live, or the setting says so.
func TestNothingIsHeldBack(t *testing.T) {
	for name, tt := range map[string]struct {
		mode    superseed.Mode
		entries int
		live    bool
	}{
		"off":              {superseed.Off, 10, true},
		"auto, no sites":   {superseed.Auto, 10, true},
		"a short playlist": {superseed.Always, 4, true},
		"a film":           {superseed.Always, 10, false},
	} {
		r := liveSeeder(t, tt.mode)
		p := timed(100, 10)
		p.Entries, p.Live = tt.entries, tt.live
		r.core.Merge(p, time.Now())
		spreadPass(r, time.Now())
		var all []*listening
		for n := range 4 {
			_, c := member(t, r, n, identity.V23, signaling.Origin{})
			all = append(all, c)
		}
		spreadPass(r, time.Now().Add(time.Minute))
		for sequence := int64(100); sequence < 110; sequence++ {
			if loaded, _ := offeredTo(r, sequence, identity.V23, all...); loaded != len(all) {
				t.Errorf("%s: segment %d is offered to %d of %d", name, sequence, loaded, len(all))
			}
		}
	}
}

// TestManyViewersShareAnnouncements: those from which the same is held back get the same bytes, encoded once.
func TestManyViewersShareAnnouncements(t *testing.T) {
	r := liveSeeder(t, superseed.Always)
	var all []*listening
	for n := range 200 {
		_, c := member(t, r, n, identity.V23, signaling.Origin{}, 105, 106, 107, 108, 109)
		all = append(all, c)
	}
	next := publish(t, r, time.Now().Add(time.Minute))
	if loaded, waiting := offeredTo(r, next, identity.V23, all...); loaded != 1 || waiting != 199 {
		t.Errorf("offered to %d, on its way for %d", loaded, waiting)
	}
	if got := len(r.announcer.last[identity.V23].variants); got > 4 {
		t.Errorf("%d announcements were encoded", got)
	}
}

// TestAWithdrawnSeederHoldsNothingBack: every viewer learns that nothing is here any more.
func TestAWithdrawnSeederHoldsNothingBack(t *testing.T) {
	r := liveSeeder(t, superseed.Always)
	var all []*listening
	for n := range 3 {
		_, c := member(t, r, n, identity.V23, signaling.Origin{}, 109)
		all = append(all, c)
	}
	publish(t, r, time.Now().Add(time.Minute))
	r.withdraw()
	s, late := member(t, r, 9, identity.V23, signaling.Origin{})
	for i, c := range append(all, late) {
		if c.told == 0 || len(c.last.Loaded)+len(c.last.Loading) > 0 {
			t.Errorf("viewer %d: %+v", i, c.last)
		}
	}
	r.closed(s, nil)
}
