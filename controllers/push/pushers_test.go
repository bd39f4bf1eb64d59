package push

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/tracker/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "a token of sixteen bytes and more"

var corp = types.NamespacedName{Namespace: "ecdn", Name: "corp"}

// fake is a tracker, as far as its table is concerned.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	has    table.Table
	puts   int
	looks  int
	refuse string
	silent bool
	states map[string]table.Problem
}

func newFake(t *testing.T) *fake {
	f := &fake{states: map[string]table.Problem{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.silent:
		panic(http.ErrAbortHandler)
	case r.URL.Path != table.Path || r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodPut && f.refuse != "":
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(table.Refused{Error: f.refuse})
	case r.Method == http.MethodPut:
		f.has, f.puts = table.Table{}, f.puts+1
		_ = json.NewDecoder(r.Body).Decode(&f.has)
		_ = json.NewEncoder(w).Encode(table.Applied{Revision: f.has.Revision, Streams: len(f.has.Streams)})
	default:
		f.looks++
		states := table.States{Revision: f.has.Revision}
		for _, e := range f.has.Streams {
			states.Streams = append(states.Streams, table.State{Namespace: e.Namespace, Name: e.Name, Problem: f.states[e.Name]})
		}
		_ = json.NewEncoder(w).Encode(states)
	}
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) revision() (string, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.has.Revision, f.puts
}

func tableWith(revision string, streams ...string) *Table {
	t := &Table{Revision: revision, Token: token, Streams: map[table.Key]string{}}
	body := table.Table{Revision: revision}
	for _, name := range streams {
		body.Streams = append(body.Streams, table.Entry{Namespace: "video", Name: name, UID: "uid-" + name})
		t.Streams[table.Key{Namespace: "video", Name: name}] = "uid-" + name
	}
	t.Body, _ = json.Marshal(body)
	return t
}

// running starts pushers that look every few milliseconds. Pods have the fakes of their IP.
func running(t *testing.T, fakes map[string]*fake) (*Pushers, chan types.NamespacedName) {
	t.Helper()
	return runningEvery(t, fakes, 10*time.Millisecond)
}

func runningEvery(t *testing.T, fakes map[string]*fake, check time.Duration) (*Pushers, chan types.NamespacedName) {
	t.Helper()
	client := NewClient()
	t.Cleanup(client.Close)
	client.Address = func(target Target) string {
		f := fakes[target.IP]
		if f == nil {
			f = fakes["a"]
		}
		return strings.TrimPrefix(f.URL, "http://")
	}
	p := New(client, nil)
	p.check = check
	woken := make(chan types.NamespacedName, 1000)
	p.Wake(func(network types.NamespacedName) {
		select {
		case woken <- network:
		default:
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p, woken
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("in vain waited for: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func target(ip string) Target { return Target{Pod: "pod-" + ip, UID: types.UID(ip), IP: ip} }

func served(p *Pushers, stream string) bool {
	ok, _ := p.Served(corp, table.Key{Namespace: "video", Name: stream}, types.UID("uid-"+stream))
	return ok
}

func TestATrackerGetsTheTableAndEachChange(t *testing.T) {
	a := newFake(t)
	p, woken := running(t, map[string]*fake{"a": a})
	p.Follow(corp, []Target{target("a")}, tableWith("1", "live"))
	until(t, "the first table", func() bool { r, _ := a.revision(); return r == "1" && served(p, "live") })
	if network := <-woken; network != corp {
		t.Errorf("woke %s", network)
	}
	if served(p, "film") {
		t.Error("a stream that is in no table is served")
	}
	if ok, _ := p.Served(corp, table.Key{Namespace: "video", Name: "live"}, "another"); ok {
		t.Error("a stream is served as one of the same name that is gone")
	}
	p.Follow(corp, []Target{target("a")}, tableWith("2", "live", "film"))
	until(t, "the second table", func() bool { return served(p, "film") })
	a.set(func() { a.looks = 0 })
	p.Follow(corp, []Target{target("a")}, tableWith("2", "live", "film"))
	until(t, "several looks", func() bool { a.mu.Lock(); defer a.mu.Unlock(); return a.looks > 2 })
	if _, puts := a.revision(); puts != 2 {
		t.Errorf("two tables were sent %d times", puts)
	}
	p.Follow(corp, nil, nil)
	if served(p, "live") {
		t.Error("a network without trackers serves")
	}
}

func TestATrackerThatLostItsTableGetsItAgain(t *testing.T) {
	a, b := newFake(t), newFake(t)
	p, _ := running(t, map[string]*fake{"a": a, "b": b})
	p.Follow(corp, []Target{target("a")}, tableWith("1", "live"))
	until(t, "the table", func() bool { return served(p, "live") })
	a.set(func() { a.has = table.Table{} })
	until(t, "the table again", func() bool { r, puts := a.revision(); return r == "1" && puts >= 2 })
	// A pod that takes its place gets it at once.
	p.Follow(corp, []Target{target("a"), target("b")}, tableWith("1", "live"))
	until(t, "the table at the new pod", func() bool { r, _ := b.revision(); return r == "1" })
}

func TestATrackerThatHangsHoldsUpNoOther(t *testing.T) {
	a, b := newFake(t), newFake(t)
	a.set(func() { a.silent = true })
	p, _ := running(t, map[string]*fake{"a": a, "b": b})
	p.Follow(corp, []Target{target("a"), target("b")}, tableWith("1", "live"))
	until(t, "the table at the other", func() bool { return served(p, "live") })
	if err := p.Trouble(corp); err != nil {
		t.Errorf("a tracker that has just started is no trouble: %v", err)
	}
	a.set(func() { a.silent = false })
	until(t, "the table at both", func() bool { r, _ := a.revision(); return r == "1" })
}

func TestARefusalAndAProblemAreTold(t *testing.T) {
	a := newFake(t)
	a.set(func() { a.refuse = "streams[0]: name: is no name\nof a stream" })
	p, _ := running(t, map[string]*fake{"a": a})
	p.Follow(corp, []Target{target("a")}, tableWith("1", "live"))
	until(t, "the refusal", func() bool { return p.Trouble(corp) != nil })
	if text := p.Trouble(corp).Error(); !strings.Contains(text, "pod-a") || !strings.Contains(text, "is no name") || strings.Contains(text, "\n") {
		t.Errorf("trouble: %s", text)
	}
	a.set(func() { a.refuse = "" })
	until(t, "no trouble", func() bool { return p.Trouble(corp) == nil && served(p, "live") })
	a.set(func() { a.states["live"] = table.ProblemSwarmTaken })
	until(t, "the problem", func() bool {
		_, state := p.Served(corp, table.Key{Namespace: "video", Name: "live"}, "uid-live")
		return state.Problem == table.ProblemSwarmTaken
	})
}

func TestMoreTrackersThanAreServed(t *testing.T) {
	a := newFake(t)
	p, _ := running(t, map[string]*fake{"a": a})
	var targets []Target
	for i := range MaxPerNetwork + 1 {
		targets = append(targets, target(string(rune('a'+i))))
	}
	p.Follow(corp, targets, tableWith("1", "live"))
	if err := p.Trouble(corp); err == nil || !strings.Contains(err.Error(), "more tracker pods") {
		t.Errorf("trouble: %v", err)
	}
	p.Follow(corp, targets[:1], tableWith("1", "live"))
	if err := p.Trouble(corp); err != nil {
		t.Errorf("trouble: %v", err)
	}
}

// TestATableThatChangesWithoutEndIsSentNowAndThen: each one costs the tracker of all streams time, and any team can change its stream.
func TestATableThatChangesWithoutEndIsSentNowAndThen(t *testing.T) {
	const pause = 100 * time.Millisecond
	a := newFake(t)
	p, _ := runningEvery(t, map[string]*fake{"a": a}, pause)
	began, last := time.Now(), ""
	for i := 0; time.Since(began) < 10*pause; i++ {
		last = fmt.Sprint(i)
		p.Follow(corp, []Target{target("a")}, tableWith(last, "live"))
		time.Sleep(time.Millisecond) // as fast as an API server takes changes
	}
	until(t, "the last table", func() bool { r, _ := a.revision(); return r == last })
	if _, puts := a.revision(); puts > int(time.Since(began)/pause)+1 {
		t.Errorf("%s tables were sent in %d requests in %v", last, puts, time.Since(began))
	}
}
