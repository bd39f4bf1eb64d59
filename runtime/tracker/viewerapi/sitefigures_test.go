package viewerapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/sites"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// tells is a viewer that reports from an address.
type tells struct {
	r        *rig
	address  string
	session  string
	sequence int64
	sum      telemetry.Counters
}

func (r *rig) at(address string) *tells {
	r.t.Helper()
	return &tells{r: r, address: address, session: get[ViewerConfig](r, "/v1/config", "X-Forwarded-For", address).Telemetry.Session}
}

func (v *tells) report(role telemetry.Role, played ...telemetry.Played) {
	v.r.t.Helper()
	v.sequence++
	v.sum = telemetry.Counters{}
	for _, p := range played {
		v.sum = v.sum.Add(telemetry.Counters{HTTP: p.Origin, Seeder: p.Seeder(), Viewer: p.Viewer()})
	}
	b, err := json.Marshal(telemetry.Report{Version: 1, Session: v.session, Sequence: v.sequence, Role: role, Counters: v.sum, Played: played})
	if err != nil {
		v.r.t.Fatal(err)
	}
	if w := v.r.do("POST", telemetryPath, string(b), "X-Forwarded-For", v.address, "Authorization", "Bearer secret"); w.Code != http.StatusOK {
		v.r.t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func played(rendition string, s telemetry.Sources) telemetry.Played {
	return telemetry.Played{Rendition: rendition, Sources: s}
}

// TestStatsOfSites: two viewers of an office that got one copy over its line, one outside of all sites, and one that only has
// a socket.
func TestStatsOfSites(t *testing.T) {
	r := newRig(t, Config{})
	r.facts.facts.Renditions[0].Keys = []string{"main-0", "main-x"}
	r.sites, r.proxied = offices(t, sites.Full), true
	r.deps.SiteViewers = func() map[string]int { return map[string]int{"berlin": 2, "wifi": 1, "": 4} }
	one, two, home := r.at("10.1.0.1"), r.at("10.1.0.2"), r.at("192.0.9.1")
	r.now = r.now.Add(5 * time.Second)
	one.report(telemetry.RoleViewer, played("720p", telemetry.Sources{SeederOutside: 1_000_000}))
	two.report(telemetry.RoleViewer, played("main-0", telemetry.Sources{ViewerInside: 900_000, Origin: 100_000}))
	home.report(telemetry.RoleViewer, played("720p", telemetry.Sources{Origin: 500}), played("invented", telemetry.Sources{Origin: 5}))
	r.now = r.now.Add(time.Second)
	s := get[Stats](r, stats.Path)
	if len(s.Sites) != 3 {
		t.Fatalf("%+v", s.Sites)
	}
	berlin, outside, wifi := s.Sites[0], s.Sites[1], s.Sites[2]
	if berlin.Name != "berlin" || berlin.Viewers != 2 || berlin.Reporting != 2 || berlin.Telling != 2 ||
		berlin.Window != (telemetry.Sources{Origin: 100_000, SeederOutside: 1_000_000, ViewerInside: 900_000}) || berlin.OneCopyBytes != 1_000_000 {
		t.Errorf("%+v", berlin)
	}
	if berlin.Copies == nil || *berlin.Copies != 1.1 || *berlin.Achievable != .5 || *berlin.Offload != .95 || *berlin.Achieved < .449 || *berlin.Achieved > .451 ||
		berlin.LineBitsPerSecond < 8*1_100_000/7 || berlin.LineBitsPerSecond > 8*1_100_000 {
		t.Errorf("%v copies, achieved %v of %v, offload %v, %d bit/s", *berlin.Copies, *berlin.Achieved, *berlin.Achievable, *berlin.Offload, berlin.LineBitsPerSecond)
	}
	if len(berlin.Renditions) != 1 || berlin.Renditions[0].Name != "720p" || berlin.Renditions[0].Viewers != 2 {
		t.Errorf("%+v", berlin.Renditions)
	}
	if outside.Name != "" || outside.Copies != nil || outside.Viewers != 4 || outside.Reporting != 1 || len(outside.Renditions) != 2 || outside.Renditions[1].Name != telemetry.OtherRendition {
		t.Errorf("%+v", outside)
	}
	if wifi.Name != "wifi" || wifi.Viewers != 1 || wifi.Reporting != 0 || wifi.Copies != nil || wifi.Offload != nil {
		t.Errorf("%+v", wifi)
	}
	// An edge seeder brings a copy in as well.
	edge := &tells{r: r, address: "10.1.0.3", session: "edge"}
	edge.report(telemetry.RoleSeeder, played("", telemetry.Sources{Origin: 1_000_000}))
	r.now = r.now.Add(time.Second)
	if got := get[Stats](r, stats.Path).Sites[0]; got.Seeders.Origin == 0 || *got.Copies <= 1.1 {
		t.Errorf("%+v", got)
	}
	// Where peering is off, viewers are not meant to share.
	vpn := r.at("10.3.0.1")
	r.now = r.now.Add(time.Second)
	vpn.report(telemetry.RoleViewer, played("720p", telemetry.Sources{Origin: 9}))
	r.now = r.now.Add(time.Second)
	for _, s := range get[Stats](r, stats.Path).Sites {
		if s.Name == "vpn" && (s.Alone != 1 || s.Copies != nil || s.Achieved != nil || s.Window.Origin != 9 || s.LineBitsPerSecond == 0) {
			t.Errorf("%+v", s)
		}
	}
	// Without sites there are no figures of any.
	r.sites = nil
	r.now = r.now.Add(time.Second)
	if w := r.do("GET", stats.Path, ""); strings.Contains(w.Body.String(), `"sites":`) {
		t.Errorf("%s", w.Body)
	}
}

// TestManySitesAreSummed: those with least traffic.
func TestManySitesAreSummed(t *testing.T) {
	r := newRig(t, Config{})
	var all []telemetry.SiteSummary
	for i := range int64(10) {
		all = append(all, telemetry.SiteSummary{Site: fmt.Sprint("s", i), Reporting: 1, Viewers: telemetry.Sources{Origin: 10 * i}, OneCopy: 5, Span: time.Minute})
	}
	all = append(all, telemetry.SiteSummary{Site: telemetry.OtherSite, Reporting: 7, Viewers: telemetry.Sources{Origin: 1e6}, OneCopy: 5})
	got := r.siteFigures(all, 3)
	var names []string
	for _, s := range got {
		names = append(names, s.Name)
	}
	last := got[len(got)-1]
	if strings.Join(names, " ") != "s9 s8 s7 other" || last.Copies != nil || last.Reporting != 14 || last.Window.Origin != 1e6+210 || last.LineBitsPerSecond == 0 {
		t.Errorf("%v, last %+v", names, last)
	}
	var renditions []telemetry.RenditionSummary
	for i := range int64(2 * stats.MaxSiteRenditions) {
		renditions = append(renditions, telemetry.RenditionSummary{Rendition: fmt.Sprint("r", i), Viewers: 1, Received: telemetry.Sources{Origin: i}, OneCopy: 1})
	}
	one := siteStats(telemetry.SiteSummary{Site: "s", Renditions: renditions}, 1)
	if n := len(one.Renditions); n != stats.MaxSiteRenditions+1 || one.Renditions[n-1].Name != telemetry.OtherRendition || one.Renditions[n-1].Viewers != stats.MaxSiteRenditions ||
		one.Renditions[0].Copies == nil || one.Renditions[n-1].Copies != nil {
		t.Errorf("%+v", one.Renditions)
	}
}

// TestSitesInMetrics: the first sites with traffic and those with most of it have names, and the bytes of the others count.
func TestSitesInMetrics(t *testing.T) {
	r := newRig(t, Config{})
	reg := prometheus.NewRegistry()
	m, err := newMetrics(reg, r.Handler)
	if err != nil {
		t.Fatal(err)
	}
	r.Handler.metrics = m
	mask, err := sites.New(sites.Config{Mask: sites.Mask{IPv4: 24}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.sites, r.proxied = mask, true
	const n = 3 * maxSiteLabels
	var all []*tells
	for i := range n {
		all = append(all, r.at(fmt.Sprintf("10.9.%d.1", i)))
	}
	r.now = r.now.Add(5 * time.Second)
	for i, v := range all {
		v.report(telemetry.RoleViewer, played("720p", telemetry.Sources{SeederOutside: int64(1000 + i)}))
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series, bytes, named := map[string]int{}, 0.0, map[string]bool{}
	for _, f := range families {
		for _, one := range f.GetMetric() {
			series[f.GetName()]++
			for _, l := range one.GetLabel() {
				if l.GetName() == "site" {
					named[l.GetValue()] = true
				}
			}
			if f.GetName() == "p2pstream_viewerapi_site_bytes_total" {
				bytes += one.GetCounter().GetValue()
			}
		}
	}
	const sources = 5 // each is counted from zero on
	if series["p2pstream_viewerapi_site_bytes_total"] != sources*(maxSiteLabels+1) || series["p2pstream_viewerapi_media_bytes_total"] != sources*(maxSiteLabels+1) ||
		series["p2pstream_viewerapi_site_viewers"] != maxSiteLabels+1 || series["p2pstream_viewerapi_site_copies"] != maxSiteLabels || !named[telemetry.OtherSite] {
		t.Errorf("%v", series)
	}
	if want := float64(n*1000 + n*(n-1)/2); bytes != want {
		t.Errorf("%.0f bytes, want %.0f", bytes, want)
	}
}
