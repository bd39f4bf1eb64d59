package rendition

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/ondemand"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/session"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/signaling"
)

const checkedSwarm = "AAAAAAAAAAAAAAAAAAAA"

// peerConn is a connection that only remembers whether it was closed.
type peerConn struct{ closed atomic.Bool }

func (*peerConn) ID() identity.PeerID                    { return "-PM0203-aaaaaaaaaaaa" }
func (*peerConn) Send([]byte) error                      { return nil }
func (*peerConn) Origin() signaling.Origin               { return signaling.Origin{} }
func (*peerConn) SendWait(context.Context, []byte) error { return nil }
func (c *peerConn) Close(error)                          { c.closed.Store(true) }

// checking is a rendition without a running owner, whose segments 100 to 103 have hashes of the origin's bytes.
func checking(t *testing.T) *Rendition {
	t.Helper()
	key := integrity.Key([]byte("0123456789abcdef"), "event")
	ledger := integrity.NewLedger(integrity.Limits{})
	batch := integrity.Batch{Version: 1, Seeder: "one", Swarms: []integrity.Swarm{{InfoHash: checkedSwarm, Covers: &integrity.Span{From: 100, To: integrity.MaxID}}}}
	for id := int64(100); id < 104; id++ {
		batch.Swarms[0].Segments = append(batch.Swarms[0].Segments, integrity.Segment{ID: id, Hash: integrity.Of(origins(id))})
	}
	ledger.Accept(batch, time.Now())
	tracker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Has("session") {
			_ = json.NewEncoder(w).Encode(map[string]any{"key": key})
			return
		}
		var lists []integrity.List
		for i, s := range q["swarm"] {
			after, _ := strconv.ParseInt(q["after"][i], 10, 64)
			lists = append(lists, ledger.List(s, []string{s}, after, time.Now()))
		}
		_ = json.NewEncoder(w).Encode(integrity.Sign(key, lists))
	}))
	t.Cleanup(func() {
		tracker.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	r := idle(t, 100, 8)
	checker := hashes.NewChecker(hashes.CheckerConfig{URL: tracker.URL}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { checker.Run(ctx) })
	t.Cleanup(func() { cancel(); work.Wait() })
	r.shared.Checker = checker
	r.named = swarmNames{{identity.V23, checkedSwarm}}
	return r
}

// origins are the origin's bytes of a segment.
func origins(id int64) []byte { return bytes.Repeat([]byte(strconv.FormatInt(id, 10)), 1000) }

// wrong are other bytes, as many.
func wrong(id int64) []byte { return bytes.Repeat([]byte("x"), len(origins(id))) }

func (r *Rendition) meet(t *testing.T) (*session.Session, *peerConn) {
	t.Helper()
	conn := &peerConn{}
	s := session.New(t.Context(), &r.sessionConfig, checkedSwarm, identity.V23, conn)
	r.sessions = append(r.sessions, s)
	r.core.Came(s)
	return s, conn
}

// settle runs what goroutines have posted, until ok.
func (r *Rendition) drainMail(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-r.mail.Signal():
		case <-limit:
			t.Fatalf("%s did not happen", what)
		}
		for _, work := range r.mail.Take() {
			work()
		}
	}
}

// reserve counts bytes in transit, as transfers do.
func (r *Rendition) reserve(t *testing.T, data []byte) []byte {
	t.Helper()
	if !r.transit.Reserve(len(data)) {
		t.Fatal("no room")
	}
	return data
}

func TestSegmentsOfPeersAreCheckedBeforeTheyAreStored(t *testing.T) {
	r := checking(t)
	good, bad := r.core.Segments()[0], r.core.Segments()[1]
	s, conn := r.meet(t)
	r.core.Request(s, good, time.Now())
	_, _, _ = s.Cancel()
	r.answered(s, good, good.Attempt, session.Result{Data: r.reserve(t, origins(100)), Total: -1, Succeeded: true})
	if good.Held() || r.shared.Store.Has(good.Key) {
		t.Fatal("a segment was stored before it was checked")
	}
	r.drainMail(t, "taking the right segment", good.Held)
	r.core.Request(s, bad, time.Now())
	_, _, _ = s.Cancel()
	r.answered(s, bad, bad.Attempt, session.Result{Data: r.reserve(t, wrong(101)), Total: -1, Succeeded: true})
	r.drainMail(t, "dropping the wrong segment", func() bool { return bad.State == schedule.Missing })
	if r.shared.Store.Has(bad.Key) || !conn.closed.Load() || bad.NotFrom != s {
		t.Errorf("stored %v, peer cut off %v", r.shared.Store.Has(bad.Key), conn.closed.Load())
	}
	if c := r.shared.Counters.Counters().Checks; c != (traffic.Checks{Right: 1, Wrong: 1}) {
		t.Errorf("%+v", c)
	}
	if used, _, _ := r.shared.Transit.Stats(); used != 0 {
		t.Errorf("%d bytes are still in transit", used)
	}
	// The origin's own bytes need no check.
	r.core.Complete(bad, r.reserve(t, origins(101)), true, time.Now())
	if !bad.Held() {
		t.Error("the origin's segment was not taken at once")
	}
}

// TestTheFirstSegmentIsChecked: it may come while the swarms are still being joined.
func TestTheFirstSegmentIsChecked(t *testing.T) {
	r := checking(t)
	r.named = nil
	r.swarms.mu.Lock()
	defer r.swarms.mu.Unlock()
	r.nameSwarms()
	seg := r.core.Segments()[0]
	s, _ := r.meet(t)
	r.core.Request(s, seg, time.Now())
	_, _, _ = s.Cancel()
	r.answered(s, seg, seg.Attempt, session.Result{Data: r.reserve(t, origins(100)), Total: -1, Succeeded: true})
	r.drainMail(t, "the end of the check", func() bool { return r.shared.Counters.Counters().Checks != traffic.Checks{} })
	if c := r.shared.Counters.Counters().Checks; c.Right != 1 || !seg.Held() {
		t.Errorf("%+v", c)
	}
}

// TestTheOriginCompletesNoLie: a peer that sends wrong bytes and then nothing has the origin add the rest.
func TestTheOriginCompletesNoLie(t *testing.T) {
	r := checking(t)
	seg := r.core.Segments()[0]
	s, conn := r.meet(t)
	whole := origins(100)
	seg.Partial = r.reserve(t, whole[:1000]) // of the origin
	r.core.Request(s, seg, time.Now())
	_, _, _ = s.Cancel()
	poisoned := append(bytes.Clone(whole[:1000]), wrong(100)[1000:2000]...)
	r.reserve(t, poisoned[1000:])
	r.answered(s, seg, seg.Attempt, session.Result{Data: poisoned, Total: int64(len(whole)), Reason: 0})
	if len(seg.Partial) != 2000 {
		t.Fatalf("%d bytes kept", len(seg.Partial))
	}
	r.reserve(t, whole[2000:])
	r.core.Complete(seg, append(bytes.Clone(poisoned), whole[2000:]...), true, time.Now())
	r.drainMail(t, "dropping the poisoned segment", func() bool { return seg.State == schedule.Missing })
	if !bytes.Equal(seg.Partial, whole[:1000]) {
		t.Errorf("%d bytes kept: those that the origin gave before are right", len(seg.Partial))
	}
	if !conn.closed.Load() {
		t.Error("the liar is still connected")
	}
	if used, _, _ := r.shared.Transit.Stats(); used != 1000 {
		t.Errorf("%d bytes are in transit", used)
	}
}

// TestASegmentThatASeederIsAboutToHaveIsNotTakenUnproven: a liar must not win by being faster than the seeder.
func TestASegmentThatASeederIsAboutToHaveIsNotTakenUnproven(t *testing.T) {
	r := checking(t)
	seg := r.core.Segments()[5]
	s, conn := r.meet(t)
	r.core.Request(s, seg, time.Now())
	_, _, _ = s.Cancel()
	r.answered(s, seg, seg.Attempt, session.Result{Data: r.reserve(t, wrong(105)), Total: -1, Succeeded: true})
	r.drainMail(t, "dropping the unproven segment", func() bool { return seg.State == schedule.Missing })
	if conn.closed.Load() || r.shared.Counters.Unproven.Load() != 1 {
		t.Errorf("cut off %v, %d unproven", conn.closed.Load(), r.shared.Counters.Unproven.Load())
	}
}

// TestPlayersSeeNothingUnchecked has a player read a segment while a peer sends it.
func TestPlayersSeeNothingUnchecked(t *testing.T) {
	r := checking(t)
	seg := r.core.Segments()[0]
	whole := origins(100)
	request := &ondemand.Request{}
	f, err := r.open(ondemand.NewPosition(time.Now()), request, seg.Key, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	read := ondemand.NewReader(t.Context(), f, false, func() {})
	s, _ := r.meet(t)
	r.core.Request(s, seg, time.Now())
	_, _, _ = s.Cancel()
	readersOf(seg).Publish(seg.Attempt, wrong(100)[:2000], int64(len(whole)), time.Now())
	if n := f.Shown(); n != 0 {
		t.Fatalf("a player sees %d bytes that were not checked", n)
	}
	if idle := f.Idle(time.Now()); idle > 10*time.Second {
		t.Errorf("no byte came for %s", idle)
	}
	r.answered(s, seg, seg.Attempt, session.Result{Data: r.reserve(t, bytes.Clone(whole)), Total: -1, Succeeded: true})
	r.drainMail(t, "taking the segment", seg.Held)
	got := make([]byte, len(whole))
	if n, err := read.Read(got); err != nil || !bytes.Equal(got[:n], whole) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestASeederLooksAgain: when another seeder has other bytes, the origin decides.
func TestASeederLooksAgain(t *testing.T) {
	now := atomic.Pointer[[]byte]{}
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(*now.Load()) }))
	defer origin.Close()
	r := checking(t)
	r.shared.Checker, r.shared.Journal = nil, hashes.NewJournal()
	r.shared.Settings.Seeder, r.core.Config.Seeder = true, true
	defer r.shared.Work.Wait()
	seg := r.core.Segments()[0]
	seg.URL = origin.URL + "/100"
	first, other := origins(100), wrong(100)
	r.core.Complete(seg, r.reserve(t, bytes.Clone(first)), true, time.Now())
	r.drainMail(t, "hashing", func() bool { return seg.Hash != (integrity.Hash{}) })
	now.Store(&first)
	r.LookAgain(checkedSwarm, 100)
	r.LookAgain("another", 100)
	r.drainMail(t, "looking again", func() bool { return r.told(t) == 2 })
	if !seg.Held() {
		t.Error("a segment that is right was dropped")
	}
	now.Store(&other)
	r.LookAgain(checkedSwarm, 100)
	r.drainMail(t, "dropping what the origin does not give any more", func() bool { return !seg.Held() })
	if r.shared.Store.Has(seg.Key) || r.told(t) != 3 {
		t.Errorf("%d hashes were told", r.told(t))
	}
}

// told is how many hashes the trackers are told.
func (r *Rendition) told(t *testing.T) int {
	t.Helper()
	return r.shared.Journal.Len()
}

// TestWhatASeederVouchesFor: viewers wait for hashes inside of it, and take other segments without a check.
func TestWhatASeederVouchesFor(t *testing.T) {
	r := checking(t)
	r.shared.Checker, r.shared.Journal = nil, hashes.NewJournal()
	r.shared.Settings.Seeder, r.core.Config.Seeder = true, true
	span := func() integrity.Span { return spanOf(r.hashed(), identity.V23) }
	if got := span(); got.To >= got.From {
		t.Errorf("with nothing held: %+v", got)
	}
	for _, i := range []int{0, 2, 3, 4} {
		seg := r.core.Segments()[i]
		seg.State, seg.Hash = schedule.Held, integrity.Of(origins(seg.Sequence))
	}
	if got := span(); got != (integrity.Span{From: 102, To: 104}) {
		t.Errorf("%+v", got)
	}
	if !r.keepsUp() || r.holdsAll() {
		t.Error("a live seeder gets what comes next, and does not hold all")
	}
	for range troubled {
		r.core.Failed(r.core.Segments()[5], time.Now())
	}
	if r.keepsUp() {
		t.Error("a seeder whose origin fails does not get what comes next")
	}
	r.core.Complete(r.core.Segments()[5], r.reserve(t, origins(105)), true, time.Now())
	r.core.Merge(&manifest.Playlist{Ended: true, TargetDuration: time.Second, Segments: r.core.Playlist().Segments}, time.Now())
	r.segments.count(len(r.core.Segments()))
	r.shared.Store.Put("a", 0, make([]byte, 1000))
	if !r.holdsAll() {
		t.Error("a film that fits is held whole")
	}
	r.shared.Store.Put("b", 0, make([]byte, 100<<20))
	if r.holdsAll() {
		t.Error("a film that does not fit is not held whole")
	}
}
