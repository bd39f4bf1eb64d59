package seeder_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/runtime/loader/rendition"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/seeder"
	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/runtime/tracker/joins"
)

// startSites starts a tracker with a site in which no address of this machine is.
func startSites(t *testing.T, listen, source string) {
	t.Helper()
	s, err := tracker.New(tracker.Config{Listen: listen, SeederToken: token, DrainPeriod: tracker.Duration(time.Millisecond),
		Sites:  &tracker.SitesConfig{Config: sites.Config{List: []sites.Entry{{Name: "Bern", CIDRs: []string{"10.1.0.0/16"}}}}},
		Stream: &tracker.StreamConfig{SourceURL: source, SwarmID: "life"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, s.Run)
	select {
	case <-s.Ready():
	case err := <-p.ended:
		t.Fatal(err)
	}
}

func startEdge(t *testing.T, source, tracker string) *seeder.Server {
	t.Helper()
	cfg := config(source, tracker)
	cfg.Site, cfg.Drain = "Bern", duration.Duration(time.Millisecond)
	s, _ := startSeeder(t, cfg)
	return s
}

// holdsAll tells whether a seeder holds all that it knows of.
func holdsAll(s *seeder.Server) bool {
	known := 0
	for _, r := range s.Engine().Status().Renditions {
		if r.Held < r.Known || r.Known == 0 {
			return false
		}
		known += r.Known
	}
	return known > 0
}

// hasPeers: it has a peer in each rendition.
func hasPeers(s *seeder.Server) bool {
	all := s.Engine().Status().Renditions
	return len(all) > 0 && !slices.ContainsFunc(all, func(r rendition.Status) bool { return r.Peers == 0 })
}

func counted(s *seeder.Server) traffic.Counters { return s.Engine().Counters() }

// TestEdgeSeedersFillFromOthers: two edge seeders of one site take nothing from the origin, and each segment leaves the
// central seeder once. What they fetch before they know each other does not count. A segment is late after a third of its
// duration; then the other one takes it too, so one run of segments of several is to be in time.
func TestEdgeSeedersFillFromOthers(t *testing.T) {
	o := originAt(t, nil)
	o.Start()
	source := o.URL + "/live/seg_3/window_8/master.m3u8"
	address := freePort(t)
	startSites(t, address, source)
	central, _ := startSeeder(t, config(source, address))
	eventually(t, "the central seeder to hold all", func() bool { return holdsAll(central) })
	a, b := startEdge(t, source, address), startEdge(t, source, address)
	eventually(t, "the edge seeders to hold all, and to know each other", func() bool {
		return holdsAll(a) && holdsAll(b) && a.Engine().Peers() > 1 && b.Engine().Peers() > 1
	})
	sum := func() (c, x, y traffic.Counters) { return counted(central), counted(a), counted(b) }
	c0, x0, y0 := sum()
	var x, y traffic.Counters
	eventually(t, "a run of segments that leaves the central seeder once, and the origin not at all", func() bool {
		var c traffic.Counters
		c, x, y = sum()
		if min(x.Segments-x0.Segments, y.Segments-y0.Segments) < 8 || !holdsAll(a) || !holdsAll(b) {
			return false
		}
		all, sent, fetched := c.HTTP-c0.HTTP, c.Uploaded-c0.Uploaded, x.HTTP-x0.HTTP+y.HTTP-y0.HTTP
		if fetched == 0 && sent <= all*5/4 {
			return true
		}
		t.Logf("%d bytes left the central seeder and %d are from the origin, of %d", sent, fetched, all)
		c0, x0, y0 = c, x, y // a busy machine may have been late
		return false
	})
	if x.Checks.Right == 0 || x.Checks.Wrong+y.Checks.Wrong > 0 {
		t.Errorf("checks: %+v %+v", x.Checks, y.Checks)
	}
}

// TestSeedersShareTheOrigin: of two seeders, at one site or central, each segment comes from the origin once; and when one of
// the two ends, the other goes on alone.
func TestSeedersShareTheOrigin(t *testing.T) {
	for name, site := range map[string]string{"edge": "Bern", "central": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shareTheOrigin(t, site)
		})
	}
}

func shareTheOrigin(t *testing.T, site string) {
	o := originAt(t, nil)
	o.Start()
	source := o.URL + "/live/seg_2/window_8/master.m3u8"
	address := freePort(t)
	startSites(t, address, source)
	cfg := config(source, address)
	cfg.Site, cfg.Drain = site, duration.Duration(time.Millisecond)
	a, _ := startSeeder(t, cfg)
	b, ends := startSeeder(t, cfg)
	eventually(t, "both to hold all", func() bool { return holdsAll(a) && holdsAll(b) && a.Engine().Peers() > 0 && b.Engine().Peers() > 0 })
	before := [2]traffic.Counters{counted(a), counted(b)}
	eventually(t, "a run of segments to be asked for about once", func() bool {
		x, y := counted(a), counted(b)
		if x.Segments-before[0].Segments < 8 || y.Segments-before[1].Segments < 8 {
			return false
		}
		origin := x.OriginRequests - before[0].OriginRequests + y.OriginRequests - before[1].OriginRequests
		segments := max(x.Segments-before[0].Segments, y.Segments-before[1].Segments)
		if origin <= segments*3/2 {
			return true
		}
		t.Logf("%d requests to the origin for %d segments", origin, segments)
		before = [2]traffic.Counters{x, y} // a busy machine may have been late
		return false
	})
	ends.ends(t)
	alone := counted(a).Segments
	eventually(t, "the other one to go on", func() bool { return counted(a).Segments-alone >= 4 && holdsAll(a) })
}

// TestCentralSeedersFetchOneCopy: two that start at the same time get one copy of a film from the origin, and a third one gets
// all of it from them.
func TestCentralSeedersFetchOneCopy(t *testing.T) {
	t.Parallel()
	// How long it takes two programs to meet depends on the machine, and a film of a few megabytes on loopback is there in
	// less. So the origin gives no segment until they have met.
	met := make(chan struct{})
	o := originAt(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, ".m3u8") {
				select {
				case <-met:
				case <-r.Context().Done():
				}
			}
			h.ServeHTTP(w, r)
		})
	})
	o.Start()
	source := o.URL + "/vod/seg_1/dur_16/master.m3u8"
	address := freePort(t)
	startSites(t, address, source)
	a, _ := startSeeder(t, config(source, address))
	b, _ := startSeeder(t, config(source, address))
	eventually(t, "both to meet", func() bool { return hasPeers(a) && hasPeers(b) })
	close(met)
	eventually(t, "both to hold all", func() bool { return holdsAll(a) && holdsAll(b) })
	x, y := counted(a), counted(b)
	segments := x.Segments
	// The first ones are fetched before either knows of the other.
	if got := x.OriginRequests + y.OriginRequests; got > segments*5/4 {
		t.Errorf("%d requests to the origin for %d segments", got, segments)
	}
	c, _ := startSeeder(t, config(source, address))
	eventually(t, "the third one to hold all", func() bool { return holdsAll(c) })
	if z := counted(c); z.OriginRequests > segments/8 || z.Seeder == 0 {
		t.Errorf("the third one made %d requests to the origin, for %d segments", z.OriginRequests, segments)
	}
}

// TestASeederJoinsWithAFile: it has no seeder token, and fills from the central seeder all the same.
func TestASeederJoinsWithAFile(t *testing.T) {
	o := originAt(t, nil)
	o.Start()
	source := o.URL + "/vod/seg_4/dur_32/master.m3u8"
	address := freePort(t)
	startSites(t, address, source)
	central, _ := startSeeder(t, config(source, address))
	eventually(t, "the central seeder to hold all", func() bool { return holdsAll(central) })
	text, c, err := joins.Issue(token, "Bern", time.Hour, time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := joins.File{Site: c.Site, ID: c.ID, Expires: c.Expires, Credential: text, Trackers: []string{"ws://" + address + "/announce"},
		Source: source, SwarmID: "life"}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bern.join.json")
	write(t, file, string(b))
	edge, _ := startSeeder(t, seeder.Config{JoinFile: file, ICEListen: "127.0.0.1:0", Loopback: true, AdminListen: "127.0.0.1:0",
		Drain: duration.Duration(time.Millisecond)})
	<-edge.Ready()
	eventually(t, "the tracker to accept it", func() bool { return page(t, edge, "/readyz") == "200 ok" })
	eventually(t, "it to hold all", func() bool { return holdsAll(edge) })
	got, all := counted(edge), counted(central).HTTP
	if got.HTTP > all/4 || got.Seeder < all*3/4 || got.Checks.Right == 0 {
		t.Errorf("%+v of %d bytes", got, all)
	}
}

// TestAnUnknownSiteIsRefused with a status that says so.
func TestAnUnknownSiteIsRefused(t *testing.T) {
	address := freePort(t)
	startSites(t, address, nowhere)
	for site, want := range map[string]int{"Bern": http.StatusSwitchingProtocols, "Rome": http.StatusForbidden, strings.Repeat("x", 65): http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://%s/announce?site=%s", address, site), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Authorization": "Bearer " + token, "Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			req.Header.Set(name, value)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("site %q: %s, want %d", site, resp.Status, want)
		}
	}
}
