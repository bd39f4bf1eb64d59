package rendition

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// counting is an origin whose segments have 1,000 bytes, and which counts what is asked for.
type counting struct {
	url   string
	mu    sync.Mutex
	asked map[string]int
	order []string
}

func newCounting(t *testing.T) *counting {
	t.Helper()
	c := &counting{asked: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.asked[r.URL.Path]++
		c.order = append(c.order, r.URL.Path)
		c.mu.Unlock()
		_, _ = w.Write([]byte(strings.Repeat("x", 1000)))
	}))
	t.Cleanup(srv.Close)
	c.url = srv.URL
	return c
}

// twice lists what was asked for more than once.
func (c *counting) twice() (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, n := range c.asked {
		if n > 1 {
			out = append(out, fmt.Sprintf("%s: %d times", path, n))
		}
	}
	return out
}

// playlist has the segments first to last of 2 s.
func (c *counting) playlist(first, last int64) *manifest.Playlist {
	p := &manifest.Playlist{Live: true, TargetDuration: 2 * time.Second, MediaSequence: first, Entries: int(last - first + 1)}
	for n := first; n <= last; n++ {
		p.Segments = append(p.Segments, manifest.Segment{
			Sequence: n, URL: c.url + "/" + strconv.FormatInt(n, 10), Start: time.Duration(n) * 2 * time.Second, Duration: 2 * time.Second,
		})
	}
	return p
}

// seeding is a seeder's rendition without a running owner, whose store holds limit bytes.
func seeding(t *testing.T, origin string, limit int64) *Rendition {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: origin + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	shared := newShared(source)
	shared.Settings.Seeder = true
	shared.Store = store.New(limit)
	r := New(t.Context(), shared, manifest.Rendition{Name: "a"})
	shared.Evicted = r.evicted
	t.Cleanup(shared.Work.Wait)
	return r
}

// drive acts at now until nothing is on its way.
func drive(t *testing.T, r *Rendition, now time.Time) {
	t.Helper()
	for {
		for _, work := range r.mail.Take() {
			work()
		}
		r.settle(now)
		r.retire(now)
		r.seed(now)
		if !slices.ContainsFunc(r.segments.order, func(s *segment) bool { return s.state == schedule.Fetching }) {
			return
		}
		select {
		case <-r.mail.Signal():
		case <-time.After(30 * time.Second):
			t.Fatal("a fetch does not end")
		}
	}
}

// fetching are the segments that the origin has been asked for. Their requests arrive there in any order.
func fetching(r *Rendition) (out []int64) {
	for _, seg := range r.segments.order {
		if seg.state == schedule.Fetching {
			out = append(out, seg.Sequence)
		}
	}
	return out
}

func held(r *Rendition) (out []int64) {
	for _, seg := range r.segments.order {
		if seg.held() {
			out = append(out, seg.Sequence)
		}
	}
	return out
}

// TestLongPlaylistIsHeldFromTheEdgeBackwards seeds an event of which the store holds a tenth, while it goes on.
func TestLongPlaylistIsHeldFromTheEdgeBackwards(t *testing.T) {
	origin := newCounting(t)
	r := seeding(t, origin.url, 100_500)
	now := time.Now()
	r.merge(origin.playlist(0, 999), now)
	r.settle(now)
	r.seed(now)
	if first := fetching(r); len(first) != seederSlots || !slices.Contains(first, 999) {
		t.Errorf("the first fetches are %v, without the live edge", first)
	}
	for edge := int64(999); edge < 1050; edge++ {
		r.merge(origin.playlist(0, edge), now)
		drive(t, r, now)
		got := held(r)
		if len(got) != 100 || got[0] != edge-99 || got[99] != edge {
			t.Fatalf("with %d as the edge %d segments are held: %v", edge, len(got), got)
		}
		now = now.Add(2 * time.Second)
	}
	if twice := origin.twice(); len(twice) > 0 {
		t.Errorf("fetched more than once: %v", twice)
	}
	if n := len(origin.asked); n != 150 {
		t.Errorf("%d segments were fetched to hold the newest 100 of each moment, want 150", n)
	}
	for _, seg := range r.segments.order {
		if seg.noRoom {
			t.Errorf("segment %d was fetched and not kept", seg.Sequence)
		}
	}
}

// TestHistoryIsFetchedWhereViewersPlay has a viewer play far behind the edge.
func TestHistoryIsFetchedWhereViewersPlay(t *testing.T) {
	origin := newCounting(t)
	r := seeding(t, origin.url, 100_500)
	now := time.Now()
	r.merge(origin.playlist(0, 999), now)
	drive(t, r, now)
	s := connect(t, r)
	announce(t, s, 299, 300)
	now = now.Add(2 * time.Second)
	r.merge(origin.playlist(0, 1000), now)
	drive(t, r, now)
	got := held(r)
	for n := int64(301); n <= 308; n++ {
		if !slices.Contains(got, n) {
			t.Errorf("segment %d is not held: %v", n, got)
		}
	}
	// What new viewers start with stays.
	for n := int64(1000 - 59); n <= 1000; n++ {
		if !slices.Contains(got, n) {
			t.Errorf("segment %d of the last two minutes made room", n)
		}
	}
	if n := len(got); n > 100 {
		t.Errorf("%d segments are held, more than fit", n)
	}
	if twice := origin.twice(); len(twice) > 0 {
		t.Errorf("fetched more than once: %v", twice)
	}
	// A peer that claims to be at another place each second costs the origin only what time allows.
	asked := len(origin.order)
	for i := range int64(20) {
		announce(t, s, 20*i)
		now = now.Add(time.Second)
		drive(t, r, now)
	}
	if n := len(origin.order) - asked; n > historyBurst+historyPerTime*10+1 {
		t.Errorf("twenty claims within ten segments cost %d fetches", n)
	}
}

// TestShortWindowIsHeldWhole keeps the order for usual playlists: the newest segment, then those where players begin.
func TestShortWindowIsHeldWhole(t *testing.T) {
	origin := newCounting(t)
	r := seeding(t, origin.url, 100_500)
	r.merge(origin.playlist(50, 61), time.Now())
	r.seed(time.Now())
	var fetching []int64
	for _, seg := range r.segments.order {
		if seg.state == schedule.Fetching {
			fetching = append(fetching, seg.Sequence)
		}
	}
	if !slices.Equal(fetching, []int64{50, 51, 52, 61}) {
		t.Errorf("fetches %v first", fetching)
	}
	drive(t, r, time.Now())
	if got := held(r); len(got) != 12 {
		t.Errorf("holds %v", got)
	}
}
