package loader

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/store"
)

// venue is a live origin whose answers the test sets: playlists by path, and segments that carry what is staged.
type venue struct {
	*httptest.Server
	mu       sync.Mutex
	lists    map[string]string
	stage    string // is in the bytes of all segments
	requests map[string]int
	refuse   func(r *http.Request) int // nil, or a status
}

func newVenue(t *testing.T) *venue {
	t.Helper()
	v := &venue{lists: map[string]string{}, requests: map[string]int{}}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

func (v *venue) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.requests[r.URL.Path]++
	text, ok := v.lists[r.URL.Path]
	stage, refuse := v.stage, v.refuse
	v.mu.Unlock()
	if refuse != nil {
		if status := refuse(r); status != 0 {
			w.WriteHeader(status)
			return
		}
	}
	switch {
	case ok:
		_, _ = io.WriteString(w, text)
	case strings.HasSuffix(r.URL.Path, ".m3u8"):
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = io.WriteString(w, stage+" "+r.URL.Path)
	}
}

func (v *venue) put(path, text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lists[path] = text
}

func (v *venue) set(stage string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stage = stage
}

func (v *venue) count(path string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.requests[path]
}

// live is a playlist of one-second segments.
func live(name string, first, last int) string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
	for n := first; n <= last; n++ {
		_, _ = fmt.Fprintf(&b, "#EXTINF:1,\n%s-%d.ts\n", name, n)
	}
	return b.String()
}

const endList = "#EXT-X-ENDLIST\n"

func variants(names ...string) string {
	text := "#EXTM3U\n"
	for _, name := range names {
		text += fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d,RESOLUTION=640x%d\n%s.m3u8\n", 1000*int(name[0]), name[0], name)
	}
	return text
}

// seeding runs a seeder's engine without peers.
func seeding(t *testing.T, v *venue, change func(*Config)) *Engine {
	t.Helper()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: v.URL + "/m.m3u8"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Role: RoleSeeder, Source: source, SwarmID: "base"}
	if change != nil {
		change(&cfg)
	}
	return running(t, cfg)
}

// holding waits until the engine holds all of its renditions' playlists, in which the newest segments have these numbers.
func holding(t *testing.T, e *Engine, edges map[string]int64) {
	t.Helper()
	until(t, fmt.Sprintf("%v to be held", edges), func() bool {
		all := e.Status().Renditions
		for _, r := range all {
			if edge, ok := edges[r.Name]; !ok || r.HeldEdge != edge || r.Held != r.Known {
				return false
			}
		}
		return len(all) == len(edges)
	})
}

// TestSeederServesTheNextEvent has a second event with the names of the first, after its end.
func TestSeederServesTheNextEvent(t *testing.T) {
	v := newVenue(t)
	v.set("first")
	v.put("/m.m3u8", variants("a"))
	v.put("/a.m3u8", live("a", 3, 10))
	e := seeding(t, v, nil)
	holding(t, e, map[string]int64{"97p": 10})
	v.put("/a.m3u8", live("a", 3, 10)+endList)
	until(t, "the end to be seen", func() bool { return v.count("/a.m3u8") > 5 })
	v.set("second")
	v.put("/a.m3u8", live("a", 0, 3))
	until(t, "the new event to be suspected", func() bool { return e.Status().Renditions[0].Error != "" })
	v.put("/a.m3u8", live("a", 0, 4))
	holding(t, e, map[string]int64{"97p": 4})
	for n := range 5 {
		data, ok := e.shared.Store.Get(storeKey(v, fmt.Sprintf("/a-%d.ts", n)))
		if !ok || !strings.HasPrefix(string(data), "second") {
			t.Errorf("segment %d: %q", n, data)
		}
	}
	if st := e.Status().Store; st.Segments != 5 {
		t.Errorf("%+v", st)
	}
}

// TestRenditionsComeAndGo has the manifest name another rendition in front of the first, and then drop one.
func TestRenditionsComeAndGo(t *testing.T) {
	v := newVenue(t)
	for _, name := range []string{"a", "b"} {
		v.put("/"+name+".m3u8", live(name, 3, 10))
	}
	v.put("/m.m3u8", variants("a"))
	e := seeding(t, v, nil)
	holding(t, e, map[string]int64{"97p": 10})
	v.put("/m.m3u8", variants("b", "a"))
	e.reread()
	holding(t, e, map[string]int64{"97p": 10, "98p": 10})
	if n := v.count("/a-10.ts"); n != 1 {
		t.Errorf("a segment of the first was fetched %d times", n)
	}

	p, err := manifest.ParseMultivariant([]byte(variants("b")), v.URL+"/m.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	leaving := Engine{cfg: e.cfg, log: e.log, shared: e.shared, swarms: newSwarmState("base"), roster: newRoster(), claimed: e.claimed}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, info := range []string{"a", "b"} {
		q, err := manifest.ParseMultivariant([]byte(variants(info)), v.URL+"/m.m3u8")
		if err != nil {
			t.Fatal(err)
		}
		if err := leaving.add(ctx, q.Renditions[0]); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	leaving.update(ctx, p, now)
	leaving.update(ctx, p, now.Add(namedGrace-1))
	if len(leaving.renditions) != 2 {
		t.Error("a rendition was left at once")
	}
	leaving.update(ctx, p, now.Add(namedGrace))
	if len(leaving.renditions) != 1 || leaving.renditions[0].Info().Name != "98p" {
		t.Errorf("%d renditions stay", len(leaving.renditions))
	}
	cancel()
	leaving.roster.running.Wait()
}

// TestSegmentsWhoseURLsExpire is a film whose signatures are of use for a moment only.
func TestSegmentsWhoseURLsExpire(t *testing.T) {
	v := newVenue(t)
	signed := func(signature string) string {
		return strings.ReplaceAll(live("a", 0, 19), ".ts", ".ts?signature="+signature) + endList
	}
	v.put("/m.m3u8", variants("a"))
	v.put("/a.m3u8", signed("one"))
	v.refuse = func(r *http.Request) int {
		v.mu.Lock()
		defer v.mu.Unlock()
		if s := r.URL.Query().Get("signature"); s != "" && !strings.Contains(v.lists["/a.m3u8"], "signature="+s) {
			return http.StatusForbidden
		}
		if strings.HasSuffix(r.URL.Path, "a-8.ts") && strings.Contains(v.lists["/a.m3u8"], "=one") {
			v.lists["/a.m3u8"] = signed("two")
			return http.StatusForbidden
		}
		return 0
	}
	e := seeding(t, v, nil)
	holding(t, e, map[string]int64{"97p": 19})
}

// TestTrackerNamesTheSwarm: what a tracker says wins, and an id with another epoch is another event.
func TestTrackerNamesTheSwarm(t *testing.T) {
	v := newVenue(t)
	v.put("/m.m3u8", variants("a"))
	v.put("/a.m3u8", live("a", 3, 10))
	asked := make(chan struct{}, 100)
	e := seeding(t, v, func(c *Config) {
		c.NewEvent = func() {
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	})
	holding(t, e, map[string]int64{"97p": 10})
	e.TakeSwarmID(strings.Repeat("x", 10_000))
	e.TakeSwarmID("")
	e.TakeSwarmID("theirs@t6mx0g") // the first that is said: it need not be another event
	until(t, "the swarm to be taken", func() bool { return e.SwarmID() == "theirs@t6mx0g" })
	if n := v.count("/a-5.ts"); n != 1 || e.Status().Store.Segments != 8 {
		t.Errorf("fetched %d times, %+v", n, e.Status().Store)
	}
	// Another event, which the playlist does not show yet.
	e.TakeSwarmID("theirs@t6mx10")
	until(t, "the old event to be dropped", func() bool { return e.Status().Store.Segments == 0 })
	v.put("/a.m3u8", live("a", 0, 2))
	holding(t, e, map[string]int64{"97p": 2})
	if len(asked) > 0 {
		t.Error("the tracker was asked for what it had said")
	}
	// One that the playlist shows first.
	v.put("/a.m3u8", live("a", 0, 2)+endList)
	reads := v.count("/a.m3u8")
	until(t, "the end to be seen", func() bool { return v.count("/a.m3u8") > reads+2 })
	v.put("/a.m3u8", live("c", 0, 2))
	<-asked
	holding(t, e, map[string]int64{"97p": 2})
	e.TakeSwarmID("theirs@t6mx20")
	until(t, "the swarm to be taken", func() bool { return e.SwarmID() == "theirs@t6mx20" })
	holding(t, e, map[string]int64{"97p": 2})
	if n := v.count("/c-1.ts"); n != 1 {
		t.Errorf("a segment of the new event was fetched %d times", n)
	}
}

func TestEpochs(t *testing.T) {
	for id, want := range map[string]int64{
		"": 0, "base": 0, "base@1": 1, "base@10": 36, "base@": 0, "http://u@h/x": 0, "base@01": 0, "base@-1": 0, "base@zzzzzzzzzzzzzzzz": 0,
	} {
		if got := epochOf(id); got != want {
			t.Errorf("%s: %d, want %d", id, got, want)
		}
	}
}

func storeKey(v *venue, path string) store.Key { return store.Key(v.URL + path) }
