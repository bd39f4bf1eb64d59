package poll

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// bell is a tracker of several streams, whose first viewers come when a test says so.
type bell struct {
	mu      sync.Mutex
	asked   map[string]int // for stats, by prefix
	waiting int
	ring    chan []string
}

func (b *bell) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != stats.ArrivalsPath {
		b.mu.Lock()
		b.asked[strings.TrimSuffix(r.URL.Path, stats.Path)]++
		b.mu.Unlock()
		_ = json.NewEncoder(w).Encode(stats.Stats{Version: stats.Version, Boot: "b"}) // to the pollers, which notice
		return
	}
	cursor, err := stats.ArrivalsCursorOf(r.URL.Query())
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer := stats.Arrivals{Version: stats.Version, ArrivalsCursor: stats.ArrivalsCursor{Boot: "b", Next: cursor.Next + 1}}
	if cursor.Boot != "" {
		b.count(1)
		defer b.count(-1)
		select {
		case answer.Streams = <-b.ring:
		case <-r.Context().Done():
			return
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (b *bell) count(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting += n
}

func (b *bell) waits() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting
}

func (b *bell) askedFor(prefix string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[prefix]
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begun := time.Now(); !ok(); {
		if time.Since(begun) > patience {
			t.Fatalf("in vain waited for: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// value of a metric without labels.
func value(t *testing.T, reg *prometheus.Registry, name string) float64 {
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

// TestFirstViewerIsAskedAboutAtOnce: of two streams that sleep on one tracker, the one that is heard of is asked about long before its
// next poll, and one request waits for both.
func TestFirstViewerIsAskedAboutAtOnce(t *testing.T) {
	t.Parallel()
	b := &bell{asked: map[string]int{}, ring: make(chan []string)}
	reg := prometheus.NewRegistry()
	p := NewPollers(Config{Client: client(t, b.ServeHTTP), Metrics: NewMetrics(reg)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Start(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	names := []string{"a", "b"}
	for _, name := range names {
		p.Follow(stream(name), []Tracker{{Pod: "p", UID: "u", Prefix: "/n/" + name}}, nil)
		p.Listen(stream(name), true)
		p.Listen(stream(name), true) // each run says so
	}
	for _, name := range names {
		eventually(t, "the first poll", func() bool { return len(p.Take(stream(name))) > 0 })
		p.mu.Lock()
		q := p.streams[stream(name)].pollers["u"]
		q.due = p.cfg.Client.Now().Add(time.Hour)
		q.sooner <- struct{}{} // it has begun to wait for a shorter time
		p.mu.Unlock()
	}
	before := map[string]int{"a": b.askedFor("/n/a"), "b": b.askedFor("/n/b")}
	eventually(t, "a request that waits", func() bool { return b.waits() == 1 })
	b.ring <- []string{"/n/a", "/n/not-asked-for"}
	eventually(t, "a question about the stream", func() bool { return b.askedFor("/n/a") > before["a"] })
	eventually(t, "its answer", func() bool { return len(p.Take(stream("a"))) > 0 })
	if n := b.askedFor("/n/b"); n != before["b"] {
		t.Errorf("the other stream was asked about %d times, %d before", n, before["b"])
	}
	eventually(t, "the next request that waits", func() bool { return b.waits() == 1 })
	p.Listen(stream("a"), false)
	if n := value(t, reg, "p2pstream_operator_trackers_listened"); n != 1 {
		t.Errorf("%v trackers are listened to while one stream sleeps", n)
	}
	p.Follow(stream("b"), nil, nil)
	eventually(t, "no request that waits", func() bool { return b.waits() == 0 })
	if n := value(t, reg, "p2pstream_operator_trackers_listened"); n != 0 {
		t.Errorf("%v trackers are listened to while no stream sleeps", n)
	}
}

// TestViewersThatComeAndGo: a tracker is not asked more often than once a second because of them, and an answer that was on the way
// when one came is not the last word.
func TestViewersThatComeAndGo(t *testing.T) {
	t.Parallel()
	p, now := byHand(t, &server{})
	name := stream("a")
	p.Follow(name, []Tracker{{Pod: "p", UID: "u", Prefix: "/n/a"}}, nil)
	p.Listen(name, true)
	q, e := p.streams[name].pollers["u"], p.ears["u"]
	came := stats.Arrivals{Streams: []string{"/n/a"}}
	next := func() time.Duration { return q.due.Sub(now.Now()) }

	p.AskDue(t.Context())
	if next() < 4*time.Second {
		t.Fatalf("the next poll is due in %s", next())
	}
	p.poke(e, stats.Arrivals{Streams: []string{"/n/b"}})
	if next() < 4*time.Second {
		t.Errorf("after another stream's viewer, due in %s", next())
	}
	p.poke(e, came)
	p.poke(e, came)
	if next() != pokedEvery {
		t.Errorf("just after an answer, due in %s", next())
	}
	q.due = q.due.Add(time.Minute)
	now.turn(10 * time.Second)
	p.poke(e, stats.Arrivals{Missed: true})
	if next() != 0 {
		t.Errorf("long after an answer, due in %s", next())
	}

	p.Take(name)
	p.begin(p.streams[name], q, now.Now())
	p.poke(e, came)
	p.finish(q, Answer{Tracker: q.tracker, At: now.Now()})
	if next() != pokedEvery {
		t.Errorf("after a viewer who came during a question, due in %s", next())
	}
}

// TestEarsAreBounded: beyond the bound, streams that sleep are woken by polls.
func TestEarsAreBounded(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	p := NewPollers(Config{Client: New(), Metrics: NewMetrics(reg)})
	for i := range maxListened + 2 {
		name := stream(fmt.Sprint(i))
		p.Follow(name, []Tracker{{Pod: "p", UID: types.UID(name.Name)}}, nil)
		p.Listen(name, true)
	}
	if n := value(t, reg, "p2pstream_operator_trackers_unheard_total"); len(p.ears) != maxListened || n != 2 {
		t.Errorf("%d trackers are listened to, %v are not", len(p.ears), n)
	}
	p.Follow(stream("0"), nil, nil)
	p.Listen(stream(fmt.Sprint(maxListened)), true)
	if len(p.ears) != maxListened {
		t.Errorf("%d trackers are listened to after one has gone", len(p.ears))
	}
	p.Listen(stream("unknown"), true)
}
