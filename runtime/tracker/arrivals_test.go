package tracker

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// TestArrivalsSince: who asks again learns exactly what there was meanwhile, as long as that is remembered.
func TestArrivalsSince(t *testing.T) {
	a, err := newArrivals(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	a.ring("/media/before")
	begun, wait := a.since(stats.ArrivalsCursor{})
	if wait != nil || begun.Missed || len(begun.Streams) != 0 || begun.Next != 1 {
		t.Errorf("who begins to listen is told %+v", begun)
	}
	_, wait = a.since(begun.ArrivalsCursor)
	select {
	case <-wait:
		t.Error("nothing was to be waited for")
	default:
	}
	a.ring("/media/film")
	a.ring("/media/other")
	a.ring("/media/film")
	<-wait
	got, _ := a.since(begun.ArrivalsCursor)
	if want := []string{"/media/film", "/media/other"}; !slices.Equal(got.Streams, want) || got.Next != 4 || got.Missed {
		t.Errorf("%+v", got)
	}
	for i := range maxArrivals {
		a.ring("/media/" + strconv.Itoa(i))
	}
	if late, _ := a.since(got.ArrivalsCursor); late.Missed || len(late.Streams) != maxArrivals {
		t.Errorf("missed %v, %d streams", late.Missed, len(late.Streams))
	}
	if late, _ := a.since(begun.ArrivalsCursor); !late.Missed || len(late.Streams) != 0 {
		t.Errorf("who is late has missed nothing: %+v", late)
	}
	for _, c := range []stats.ArrivalsCursor{{Boot: "another", Next: 1}, {Boot: begun.Boot, Next: 1 << 40}} {
		if other, wait := a.since(c); !other.Missed || wait != nil {
			t.Errorf("%+v: %+v", c, other)
		}
	}
	if len(a.last) > maxArrivals {
		t.Errorf("%d arrivals are remembered", len(a.last))
	}
}

// TestArrivalsAreBounded: more requests than may wait are refused, and each makes room when it ends.
func TestArrivalsAreBounded(t *testing.T) {
	a, err := newArrivals(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	for range maxArrivalWaits {
		if !a.enter() {
			t.Fatal("refused too early")
		}
	}
	get := func(path string) int {
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code
	}
	if code := get(stats.ArrivalsPath); code != http.StatusServiceUnavailable {
		t.Errorf("one too many: %d", code)
	}
	a.leave()
	for range 3 {
		if code := get(stats.ArrivalsPath); code != http.StatusOK {
			t.Errorf("after one has left: %d", code)
		}
	}
	if code := get(stats.ArrivalsPath + "?boot=b&next=x"); code != http.StatusBadRequest {
		t.Errorf("a number that is none: %d", code)
	}
}

// TestFirstViewerArrives: of a real tracker, by its admin listener, which gives other requests ten seconds.
func TestFirstViewerArrives(t *testing.T) {
	server, err := New(Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	<-server.Ready()
	ask := func(c stats.ArrivalsCursor) stats.Arrivals {
		t.Helper()
		resp, err := http.Get("http://" + server.AdminAddr().String() + c.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := stats.DecodeArrivals(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	dial := func() *websocket.Conn {
		t.Helper()
		ws, resp, err := websocket.DefaultDialer.Dial("ws://"+server.Addr().String()+"/announce", http.Header{"Origin": {"http://page.example"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return ws
	}
	begun := ask(stats.ArrivalsCursor{})
	heard := make(chan stats.Arrivals, 1)
	go func() { heard <- ask(begun.ArrivalsCursor) }()
	first := dial()
	got := <-heard
	if !slices.Equal(got.Streams, []string{""}) || got.Missed {
		t.Errorf("%+v", got)
	}
	second := dial()
	if again, wait := server.arrivals.since(got.ArrivalsCursor); wait == nil {
		t.Errorf("the second viewer counts as an arrival: %+v", again)
	}
	for _, ws := range []*websocket.Conn{first, second} {
		_ = ws.Close()
	}
	eventually(t, "viewers that left are not counted", func() bool { return server.streams.only.group.Viewers() == 0 })
	defer dial().Close()
	if again := ask(got.ArrivalsCursor); !slices.Equal(again.Streams, []string{""}) {
		t.Errorf("after all had left: %+v", again)
	}
}
