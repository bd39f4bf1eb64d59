package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

const patience = 30 * time.Second

func stream(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "n", Name: name}
}

// clock is one that tests turn.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// server answers for all trackers, with the number of the reading as its totals, and counts what it was asked.
type server struct {
	mu           sync.Mutex
	asked, reads int
	kept         telemetry.Kept // of the last reading
	fail         bool
	// during is called while a question is under way; may be nil.
	during func()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	answer := stats.Stats{Version: stats.Version, Boot: "b"}
	if kept, err := stats.KeptOf(r.URL.Query()); err == nil && kept != nil {
		s.reads++
		s.kept = kept
		answer.Offload.Reading = int64(s.reads)
	}
	fail, during := s.fail, s.during
	s.mu.Unlock()
	if during != nil {
		during()
	}
	if fail {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // to the pollers, which notice
}

func (s *server) count() (asked, reads int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked, s.reads
}

// byHand returns pollers that ask a server when a test says so.
func byHand(t *testing.T, s *server) (*Pollers, *clock) {
	t.Helper()
	c := client(t, s.ServeHTTP)
	now := &clock{now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	c.Now = now.Now
	return NewPollers(Config{Client: c}), now
}

func (c *clock) order(uid types.UID, in time.Duration) *Order {
	return &Order{UID: uid, From: c.Now().Add(in), Kept: telemetry.Kept{"run": 7}}
}

func TestPause(t *testing.T) {
	t.Parallel()
	var got []string
	for _, failures := range []int{0, 1, 2, 3, 4, 5, maxFailures} {
		got = append(got, pause(failures).String())
	}
	if text := strings.Join(got, " "); text != "5s 5s 10s 20s 40s 1m0s 1m0s" {
		t.Error(text)
	}
	for random, want := range map[float64]time.Duration{0: 5 * time.Second, 0.5: 4500 * time.Millisecond, 1: 4 * time.Second} {
		if got := jittered(Every, random); got != want {
			t.Errorf("%g: %s", random, got)
		}
	}
}

func TestNewTrackersAreAskedAtOnce(t *testing.T) {
	t.Parallel()
	s := &server{}
	p, c := byHand(t, s)
	a, b := Tracker{UID: "a"}, Tracker{UID: "b"}
	ask := func(want int) {
		t.Helper()
		if n := p.AskDue(t.Context()); n != want {
			t.Fatalf("asked %d, want %d", n, want)
		}
	}
	ask(0)
	p.Follow(stream("s"), []Tracker{a}, nil)
	ask(1)
	ask(0) // its answer was not taken
	c.turn(time.Minute)
	ask(0)
	if got := p.Take(stream("s")); len(got) != 1 || got[0].UID != "a" || got[0].Err != nil || got[0].Accumulate {
		t.Fatalf("%+v", got)
	}
	if got := p.Take(stream("s")); len(got) != 0 {
		t.Errorf("taken twice: %+v", got)
	}
	ask(1)
	p.Take(stream("s"))
	p.Follow(stream("s"), []Tracker{a, b}, nil)
	ask(1) // the new one
	if got := p.Take(stream("s")); len(got) != 1 || got[0].UID != "b" {
		t.Errorf("%+v", got)
	}
	c.turn(Every)
	ask(2)
	p.Follow(stream("s"), []Tracker{b}, nil)
	if got := p.Take(stream("s")); len(got) != 1 || got[0].UID != "b" {
		t.Errorf("answers of a tracker that is not followed: %+v", got)
	}
	p.Follow(stream("s"), nil, nil)
	c.turn(time.Hour)
	ask(0)
	if len(p.streams) != 0 || p.count != 0 {
		t.Errorf("%d streams and %d pollers are left", len(p.streams), p.count)
	}
}

// TestOrders carries an order out once, when it is due, and lets no answer count whose order was replaced.
func TestOrders(t *testing.T) {
	t.Parallel()
	s := &server{}
	p, c := byHand(t, s)
	both := []Tracker{{UID: "a"}, {UID: "b"}}
	// round asks what is due and returns the trackers whose totals are to be kept.
	round := func(read *Order) string {
		t.Helper()
		p.Follow(stream("s"), both, read)
		p.AskDue(t.Context())
		c.turn(Every)
		kept := ""
		for _, a := range p.Take(stream("s")) {
			if a.Err == nil && a.Accumulate {
				kept += string(a.UID)
			}
		}
		return kept
	}
	if got := round(c.order("a", 0)); got != "a" || s.kept["run"] != 7 {
		t.Errorf("due at once: kept of %q, told %v", got, s.kept)
	}
	if got := round(nil); got != "" {
		t.Errorf("carried out again: %q", got)
	}
	if got := round(c.order("b", Every)); got != "" {
		t.Errorf("carried out early: %q", got)
	}
	if got := round(c.order("b", 0)); got != "b" {
		t.Errorf("due now: %q", got)
	}
	if _, reads := s.count(); reads != 2 {
		t.Errorf("%d readings", reads)
	}

	// The answer is there, and before it is taken the loop wants another tracker read, or none.
	for _, next := range []*Order{c.order("b", time.Hour), nil} {
		p.Follow(stream("s"), both, c.order("a", 0))
		p.AskDue(t.Context())
		p.Follow(stream("s"), both, next)
		if got := round(next); got != "" {
			t.Errorf("the answer to an order that was replaced counts: %q", got)
		}
	}
	// The same order again, while its answer is under way, changes nothing.
	_, before := s.count()
	s.during = func() { p.Follow(stream("s"), both, c.order("a", 0)) }
	if got := round(c.order("a", 0)); got != "a" {
		t.Errorf("kept of %q", got)
	}
	s.during = nil
	if _, reads := s.count(); reads != before+1 {
		t.Errorf("%d readings for one order", reads-before)
	}
	// A failure uses an order up. The loop gives the next one.
	s.fail = true
	if got := round(c.order("a", 0)); got != "" {
		t.Errorf("kept of %q", got)
	}
	s.fail = false
	if got := round(nil); got != "" {
		t.Errorf("kept of %q", got)
	}
	if got := round(c.order("a", 0)); got != "a" {
		t.Errorf("kept of %q", got)
	}
}

func TestSilentTrackersAreAskedSeldom(t *testing.T) {
	t.Parallel()
	s := &server{fail: true}
	p, c := byHand(t, s)
	for range 600 {
		p.Follow(stream("s"), []Tracker{{UID: "a"}}, nil)
		p.AskDue(t.Context())
		p.Take(stream("s"))
		c.turn(time.Second)
	}
	// After the first two, four pauses that grow, and then one a minute; a fifth sooner at most.
	if asked, _ := s.count(); asked < 13 || asked > 18 {
		t.Errorf("asked %d times in ten minutes", asked)
	}
}

func TestTooManyTrackers(t *testing.T) {
	t.Parallel()
	s := &server{}
	c := client(t, s.ServeHTTP)
	reg := prometheus.NewRegistry()
	p := NewPollers(Config{Client: c, MaxTrackers: MaxPerStream + 2, Metrics: NewMetrics(reg)})
	var many []Tracker
	for i := range MaxPerStream + 1 {
		many = append(many, Tracker{Pod: fmt.Sprint("p", i), UID: types.UID(fmt.Sprint(i))})
	}
	p.Follow(stream("many"), many, nil)
	for _, name := range []string{"a", "b", "c"} {
		p.Follow(stream(name), []Tracker{{Pod: name, UID: types.UID(name)}}, nil)
	}
	if n := p.AskDue(t.Context()); n != MaxPerStream+2 {
		t.Errorf("asked %d", n)
	}
	for name, want := range map[string]string{"many": "of a stream", "c": "--watch-namespace", "a": ""} {
		var errs []error
		for _, a := range p.Take(stream(name)) {
			errs = append(errs, a.Err)
		}
		err := errors.Join(errs...)
		if (want == "") != (err == nil) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("stream %s: %v", name, err)
		}
	}
	p.Follow(stream("a"), nil, nil)
	p.Follow(stream("c"), []Tracker{{Pod: "c", UID: "c"}}, nil)
	if n := p.AskDue(t.Context()); n != 1 {
		t.Errorf("asked %d when there was room again", n)
	}
	for name, want := range map[string]float64{"p2pstream_operator_pollers": MaxPerStream + 2, "p2pstream_operator_pollers_refused_total": 2} {
		if got := metric(t, reg, name); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
}

func metric(t *testing.T, reg *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.Metric[0].GetGauge().GetValue() + f.Metric[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestHungTrackersDelayNoAnswer has many trackers that accept connections and never answer, and some that answer.
func TestHungTrackersDelayNoAnswer(t *testing.T) {
	t.Parallel()
	hung, err := net.Listen("tcp", "127.0.0.1:0") // its backlog accepts what nothing reads
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hung.Close() })
	s := &server{}
	good := httptest.NewServer(s)
	t.Cleanup(good.Close)
	c := New()
	t.Cleanup(c.Close)
	c.Address = func(t Tracker) string {
		if strings.HasPrefix(t.Pod, "hung") {
			return hung.Addr().String()
		}
		return strings.TrimPrefix(good.URL, "http://")
	}
	p := NewPollers(Config{Client: c})
	woken := make(chan types.NamespacedName, 1000)
	p.Wake(func(s types.NamespacedName) { woken <- s })
	for i := range 4 * maxDoubtful {
		name := fmt.Sprint("hung", i)
		p.Follow(stream(name), []Tracker{{Pod: name, UID: types.UID(name)}}, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()
	stop := time.After(patience)
	answers, silences := 0, 0
	for answers < 3 || silences < maxDoubtful {
		select {
		case s := <-woken:
			if s.Name != "new" {
				if silences++; silences == 1 { // all questions to those that hang are out, or wait for a slot
					p.Follow(stream("new"), []Tracker{{Pod: "new", UID: "new"}}, nil)
				}
				p.Take(s)
				continue
			}
			a := p.Take(s)
			if len(a) != 1 || a[0].Err != nil {
				t.Fatalf("%+v", a)
			}
			answers++
			p.mu.Lock() // asks again at once, however long the pause
			p.streams[s].pollers["new"].due = time.Time{}
			p.mu.Unlock()
		case <-stop:
			t.Fatalf("%d answers, %d silences", answers, silences)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestStartAndStop follows and forgets trackers while pollers run, and wants no goroutine left (see TestMain).
func TestStartAndStop(t *testing.T) {
	t.Parallel()
	s := &server{}
	c := client(t, s.ServeHTTP)
	p := NewPollers(Config{Client: c})
	var woken atomic.Int64
	wakes := make(chan struct{}, 1000)
	p.Wake(func(types.NamespacedName) { woken.Add(1); wakes <- struct{}{} })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()
	for i := range 50 {
		p.Follow(stream(fmt.Sprint(i)), []Tracker{{UID: types.UID(fmt.Sprint(i))}}, nil)
		if i%2 == 0 {
			p.Follow(stream(fmt.Sprint(i)), nil, nil)
		}
	}
	stop := time.After(patience)
	for range 25 {
		select {
		case <-wakes:
		case <-stop:
			t.Fatalf("woken %d times", woken.Load())
		}
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-stop:
		t.Fatal("it does not stop")
	}
	p.Follow(stream("late"), []Tracker{{UID: "late"}}, nil) // starts nothing
	if !p.NeedLeaderElection() {
		t.Error("a standby would poll")
	}
}
