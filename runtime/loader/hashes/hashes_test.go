package hashes

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/p2pstream/p2pstream/runtime/integrity"
	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	infoHash = "AAAAAAAAAAAAAAAAAAAA"
	swarm    = "v2-event-main-UYnLxGhQilEV4D0HbCx+kRv0ZF0="
)

var quiet = slog.New(slog.DiscardHandler)

// tracker answers as the viewer API does.
type tracker struct {
	*httptest.Server
	mu      sync.Mutex
	key     []byte
	boot    string
	ledger  *integrity.Ledger
	batches []integrity.Batch
	queries []string
	fail    int // status of every answer; 0: none
	hangs   atomic.Bool
	takes   atomic.Int64 // nanoseconds for each answer
}

func newTracker(t *testing.T) *tracker {
	t.Helper()
	k := &tracker{key: integrity.Key([]byte("0123456789abcdef"), "event"), boot: "one", ledger: integrity.NewLedger(integrity.Limits{})}
	k.Server = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(func() {
		k.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return k
}

func (k *tracker) serve(w http.ResponseWriter, r *http.Request) {
	if k.hangs.Load() {
		<-r.Context().Done()
		return
	}
	time.Sleep(time.Duration(k.takes.Load()))
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != 0 {
		w.WriteHeader(k.fail)
		return
	}
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		b, err := integrity.DecodeBatch(body)
		if err != nil || r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		k.batches = append(k.batches, b)
		_ = json.NewEncoder(w).Encode(integrity.Reply{Version: 1, Boot: k.boot, Disputed: k.ledger.Accept(b, time.Now())})
		return
	}
	k.queries = append(k.queries, r.URL.RawQuery)
	q := r.URL.Query()
	if q.Has("session") {
		if q.Get("session") != "good" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"key": k.key})
		return
	}
	var lists []integrity.List
	for i, s := range q["swarm"] {
		after, _ := strconv.ParseInt(q["after"][i], 10, 64)
		lists = append(lists, k.ledger.List(s, []string{infoHash}, after, time.Now()))
	}
	_ = json.NewEncoder(w).Encode(integrity.Sign(k.key, lists))
}

// say is what a seeder adds.
func (k *tracker) say(seeder string, covers *integrity.Span, segments ...integrity.Segment) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ledger.Accept(integrity.Batch{Version: 1, Seeder: seeder, Swarms: []integrity.Swarm{{InfoHash: infoHash, Covers: covers, Segments: segments}}}, time.Now())
}

func (k *tracker) change(f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	f()
}

func (k *tracker) asked() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.queries)
}

func (k *tracker) checker(t *testing.T, session string) *Checker {
	return k.checkerWith(t, CheckerConfig{Session: session})
}

// checkerWith starts one that asks this tracker, and ends it with the test.
func (k *tracker) checkerWith(t *testing.T, cfg CheckerConfig) *Checker {
	cfg.URL = URLOf(k.URL + "/v1/telemetry")
	c := NewChecker(cfg, quiet)
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() { c.Run(ctx) })
	t.Cleanup(func() { cancel(); work.Wait() })
	return c
}

func segment(id int64, text string) integrity.Segment {
	return integrity.Segment{ID: id, Hash: integrity.Of([]byte(text))}
}

func TestVerdicts(t *testing.T) {
	k := newTracker(t)
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"), segment(6, "six"))
	c := k.checker(t, "good")
	for _, tt := range []struct {
		id   int64
		data string
		want Verdict
	}{{5, "five", Right}, {5, "FIVE", Wrong}, {6, "six", Right}, {6, "five", Wrong}, {3, "three", Unknown}, {7, "seven", Unproven}} {
		if got := c.Check(t.Context(), swarm, tt.id, []byte(tt.data)); got != tt.want {
			t.Errorf("segment %d with %q: %d, want %d", tt.id, tt.data, got, tt.want)
		}
	}
	if got := c.Check(t.Context(), "v2-other", 5, []byte("five")); got != Right {
		t.Errorf("in a swarm of the other generation: %d", got)
	}
}

// TestTheEndOfACheckIsNoSilenceOfTheTracker: a check that has waited long enough ends while a request is on its way. What comes
// then is checked, too.
func TestTheEndOfACheckIsNoSilenceOfTheTracker(t *testing.T) {
	k := newTracker(t)
	k.takes.Store(int64(200 * time.Millisecond)) // a request begins 0.8 s after the first one
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"))
	c := k.checker(t, "good")
	if got := c.Check(t.Context(), swarm, 5, []byte("five")); got != Right { // it has the key
		t.Fatalf("%d", got)
	}
	for id := range int64(3) {
		if got := c.Check(t.Context(), swarm, 7+id, []byte("else")); got != Unproven {
			t.Errorf("segment %d, whose hash does not come: %d, want %d", 7+id, got, Unproven)
		}
	}
}

// TestAHashThatIsAboutToComeIsWaitedFor: a viewer is faster than the seeder's report.
func TestAHashThatIsAboutToComeIsWaitedFor(t *testing.T) {
	k := newTracker(t)
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"))
	c := k.checker(t, "good")
	done := make(chan Verdict, 1)
	go func() { done <- c.Check(t.Context(), swarm, 6, []byte("six")) }()
	for k.asked() < 2 { // for the key, and for the list
		<-time.After(time.Millisecond)
	}
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(6, "six"))
	if got := <-done; got != Right {
		t.Errorf("%d", got)
	}
}

// TestWhatIsAskedTogetherIsOneRequest: a request for each segment would cost more than the hashes.
func TestWhatIsAskedTogetherIsOneRequest(t *testing.T) {
	k := newTracker(t)
	var all []integrity.Segment
	for id := range int64(60) {
		all = append(all, segment(id, strconv.FormatInt(id, 10)))
	}
	k.say("one", &integrity.Span{From: 0, To: integrity.MaxID}, all...)
	c := k.checker(t, "good")
	var work sync.WaitGroup
	for id := range int64(60) {
		for _, s := range []string{swarm, "v2-event-secondary-0"} {
			work.Go(func() {
				if got := c.Check(t.Context(), s, id, []byte(strconv.FormatInt(id, 10))); got != Right {
					t.Errorf("segment %d: %d", id, got)
				}
			})
		}
	}
	work.Wait()
	if n := k.asked(); n > 8 {
		t.Errorf("%d requests", n)
	}
}

func TestATrackerThatCannotBeAskedEndsNoSharing(t *testing.T) {
	k := newTracker(t)
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"))
	k.change(func() { k.fail = http.StatusInternalServerError })
	c := k.checker(t, "good")
	if got := c.Check(t.Context(), swarm, 5, []byte("FIVE")); got != Unknown {
		t.Errorf("%d", got)
	}
	before := k.asked()
	if got := c.Check(t.Context(), swarm, 6, []byte("six")); got != Unknown || k.asked() != before {
		t.Errorf("%d after %d requests: it was asked again at once", got, k.asked()-before)
	}
}

// TestATrackerThatHangsEndsNoSharing: it has vouched for the segment, and then its node is gone.
func TestATrackerThatHangsEndsNoSharing(t *testing.T) {
	k := newTracker(t)
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"))
	c := k.checker(t, "good")
	if got := c.Check(t.Context(), swarm, 5, []byte("five")); got != Right {
		t.Fatalf("%d", got)
	}
	k.hangs.Store(true)
	if got := c.Check(t.Context(), swarm, 6, []byte("six")); got != Unknown {
		t.Errorf("%d", got)
	}
}

// TestAnswersAreSigned: a cache that changes answers, or a tracker with another key, is noticed.
func TestAnswersAreSigned(t *testing.T) {
	k := newTracker(t)
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"))
	c := k.checker(t, "good")
	if got := c.Check(t.Context(), swarm, 5, []byte("five")); got != Right {
		t.Fatalf("%d", got)
	}
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(6, "six"))
	k.change(func() { k.key = integrity.Key([]byte("fedcba9876543210"), "event") })
	if got := c.Check(t.Context(), swarm, 70, []byte("six")); got != Unknown {
		t.Errorf("an answer signed with another key is believed: %d", got)
	}
	c.change(func() { c.failed = time.Time{} })
	if got := c.Check(t.Context(), swarm, 6, []byte("SIX")); got != Wrong {
		t.Errorf("the new key was not asked for: %d", got)
	}
}

func (c *Checker) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

func TestASessionThatExpiredIsRenewed(t *testing.T) {
	k := newTracker(t)
	k.say("one", nil, segment(5, "five"))
	c := k.checkerWith(t, CheckerConfig{Session: "expired", Renew: func(context.Context) (string, error) { return "good", nil }})
	if got := c.Check(t.Context(), swarm, 5, []byte("five")); got != Right {
		t.Errorf("%d", got)
	}
	c = k.checkerWith(t, CheckerConfig{Session: "expired", Renew: func(context.Context) (string, error) { return "", errors.New("no") }})
	if got := c.Check(t.Context(), swarm, 5, []byte("FIVE")); got != Unknown {
		t.Errorf("%d", got)
	}
}

func TestASegmentIsNotHeldUpWhenTheViewerLeaves(t *testing.T) {
	k := newTracker(t)
	k.say("one", &integrity.Span{From: 5, To: integrity.MaxID}, segment(5, "five"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := k.checker(t, "good").Check(ctx, swarm, 5, []byte("five")); got != Unknown {
		t.Errorf("%d", got)
	}
}

func TestReporterTellsEachHashOnce(t *testing.T) {
	k := newTracker(t)
	j := NewJournal()
	disputed := make(chan int64, 64)
	j.OnDispute(func(_ identity.InfoHash, id int64) { disputed <- id })
	r, err := NewReporter(ReporterConfig{Tracker: "ws" + strings.TrimPrefix(k.URL, "http") + "/announce", Seeder: "one", Token: func() string { return "secret" }}, j, quiet)
	if err != nil {
		t.Fatal(err)
	}
	j.Add(infoHash, 1, integrity.Of([]byte("1")), false)
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { r.Run(ctx) })
	defer work.Wait()
	defer cancel()
	j.Cover(infoHash, integrity.Span{From: 1, To: integrity.MaxID}, time.Now())
	j.Add(infoHash, 2, integrity.Of([]byte("2")), false)
	k.eventually(t, "two hashes", func() bool { return slices.Equal(k.ids(), []int64{1, 2}) })
	// A tracker that was restarted has forgotten them.
	k.change(func() { k.boot, k.ledger, k.batches = "two", integrity.NewLedger(integrity.Limits{}), nil })
	j.Add(infoHash, 3, integrity.Of([]byte("3")), false)
	k.eventually(t, "all hashes again", func() bool { return slices.Equal(k.ids(), []int64{3, 1, 2, 3}) })
	k.change(func() { k.batches = nil; k.fail = http.StatusBadGateway })
	j.Add(infoHash, 4, integrity.Of([]byte("4")), false)
	k.change(func() { k.fail = 0 })
	k.eventually(t, "what a failure held up", func() bool { return slices.Equal(k.ids(), []int64{4}) })
	k.say("two", nil, segment(4, "else"))
	j.Add(infoHash, 5, integrity.Of([]byte("5")), false)
	if id := <-disputed; id != 4 {
		t.Errorf("segment %d is disputed", id)
	}
}

// ids are those of all hashes that came.
func (k *tracker) ids() (ids []int64) {
	for _, b := range k.batches {
		for _, s := range b.Swarms {
			for _, g := range s.Segments {
				ids = append(ids, g.ID)
			}
		}
	}
	return ids
}

func (k *tracker) eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		k.mu.Lock()
		good := ok()
		k.mu.Unlock()
		if good {
			return
		}
	}
	t.Fatalf("%s did not come", what)
}

func TestURLs(t *testing.T) {
	for from, want := range map[string]string{
		"https://t.test/v1/telemetry":       "https://t.test/v1/hashes",
		"http://t.test:8000/a/v1/telemetry": "http://t.test:8000/a/v1/hashes",
		"":                                  "", "::": "",
	} {
		if got := URLOf(from); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
	for _, bad := range []string{"http://t.test/announce", "::", ""} {
		if _, err := NewReporter(ReporterConfig{Tracker: bad}, NewJournal(), quiet); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}
