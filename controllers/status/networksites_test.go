package status

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// office is what a tracker says of a site that gets so many bytes from outside and one copy of which is 1000 bytes.
func office(name string, viewers int, outside int64) stats.Site {
	return stats.Site{Name: name, Viewers: viewers, Reporting: viewers, LineBitsPerSecond: 8 * outside, OneCopyBytes: 1000,
		Window: telemetry.Sources{SeederOutside: outside, ViewerInside: 1000}}
}

func TestSitesOfStreamsAreSummed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	reading := func(age time.Duration, known bool, sites ...stats.Site) StreamReading {
		return StreamReading{Reading: &Reading{At: at.Add(-age), Stats: stats.Stats{Sites: sites}}, Known: known}
	}
	one := reading(0, true, office("berlin", 6, 1000), office("paris", 2, 1500), stats.Site{Name: telemetry.OtherSite, Viewers: 3})
	two := reading(time.Second, true, office("berlin", 4, 2000), office("rome", 1, 1000))
	// Viewers that share nothing make no copies: a site of them alone has none.
	off := office("vpn", 5, 4000)
	off.Alone = 5
	three := reading(2*time.Second, true, off)
	stale := reading(staleAfter+time.Second, true, office("berlin", 100, 9000))
	starting := reading(0, false, office("berlin", 1, 10))

	next := func(before v1.P2PNetworkStatus, change func(*NetworkObserved), readings ...StreamReading) v1.P2PNetworkStatus {
		return NextNetwork(before, healthyNetwork(func(o *NetworkObserved) {
			o.HasSites, o.Attached, o.Readings = true, []*v1.P2PStream{{}}, readings
			if change != nil {
				change(o)
			}
		}), time.Time{}, at).Status
	}
	s := next(v1.P2PNetworkStatus{}, nil, one, two, three, stale)
	got := ""
	for _, site := range s.Sites {
		got += fmt.Sprintf("%s: %d viewers, %q copies, %d bit/s; ", site.Name, site.Viewers, site.Copies, site.LineBitsPerSecond)
	}
	want := `berlin: 10 viewers, "1.50" copies, 24000 bit/s; paris: 2 viewers, "1.50" copies, 12000 bit/s; rome: 1 viewers, "1.00" copies, 8000 bit/s; ` +
		`vpn: 5 viewers, "" copies, 32000 bit/s; other: 3 viewers, "" copies, 0 bit/s; `
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if s.WorstSite == nil || s.WorstSite.Name != "berlin" {
		t.Errorf("worst site %+v", s.WorstSite)
	}
	berlin := s.Sites[0]
	if *berlin.AchievedPercent != 40 || *berlin.AchievablePercent != 60 || *berlin.OffloadPercent != 100 {
		t.Errorf("%d %d %d", *berlin.AchievedPercent, *berlin.AchievablePercent, *berlin.OffloadPercent)
	}
	if newest := Newest([]StreamReading{two, one, stale}); newest != one.Reading {
		t.Errorf("newest %+v", newest)
	}
	// They stay while the viewers of a stream come back to a tracker that has just started, and while no tracker answers.
	for name, readings := range map[string][]StreamReading{"a new tracker": {one, starting}, "no answer": {stale}, "a new operator": nil} {
		if diff := cmp.Diff(s.Sites, next(s, nil, readings...).Sites); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, change := range map[string]func(*NetworkObserved){
		"no sites": func(o *NetworkObserved) { o.HasSites = false }, "no streams": func(o *NetworkObserved) { o.Attached, o.Readings = nil, nil },
	} {
		if again := next(s, change, one); again.Sites != nil || again.WorstSite != nil {
			t.Errorf("%s: %+v", name, again.Sites)
		}
	}
}

// TestSumsOfHostileSites: whatever trackers answer can be written, and costs a bounded number of sums.
func TestSumsOfHostileSites(t *testing.T) {
	t.Parallel()
	var streams [][]stats.Site
	for stream := range 30 {
		var sites []stats.Site
		for i := range 200 {
			s := office(fmt.Sprintf("site-%d-%d", stream, i), -7, math.MaxInt64)
			s.OneCopyBytes, s.LineBitsPerSecond, s.Seeders.Origin = math.MinInt64, math.MaxInt64, -5
			sites = append(sites, s, office("twice", 1, 1000))
		}
		streams = append(streams, sites)
	}
	sums := sumSites(streams)
	if len(sums) != maxSummedSites+1 {
		t.Errorf("%d sums", len(sums))
	}
	all, _ := siteStatuses(sums, nil)
	if len(all) != maxSites+1 || all[maxSites].Name != telemetry.OtherSite {
		t.Fatalf("%d sites", len(all))
	}
	for _, s := range all {
		if s.Viewers < 0 || s.LineBitsPerSecond < 0 || s.Name != telemetry.OtherSite && s.Name != "twice" && s.Copies != "" {
			t.Errorf("%+v", s)
		}
	}
}
