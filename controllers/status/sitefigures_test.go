package status_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

func ratio(v float64) *float64 { return &v }

// office is what a tracker says of a site of ten viewers.
func office(name string, copies float64, bits int64) stats.Site {
	return stats.Site{Name: name, Viewers: 10, Reporting: 10, Telling: 10, Copies: ratio(copies), LineBitsPerSecond: bits,
		Achieved: ratio(0.894), Achievable: ratio(0.9), Offload: ratio(1)}
}

func withSites(all ...stats.Site) func(*status.Observed) {
	return func(o *status.Observed) {
		o.Reading.Stats.SiteMap, o.Reading.Stats.Sites = &stats.SiteMap{Sites: 2}, all
	}
}

func TestSiteFigures(t *testing.T) {
	t.Parallel()
	percent := func(n int32) *int32 { return &n }
	silent := office("London", 7, 0)
	silent.Viewers = 100 // of which 10 report
	r, _ := next(t, pending(), healthy(withSites(office("Paris", 1.0449, 3_141_592), office("Berlin", 2.9, 9_000_000), silent, office("", 9, 1),
		stats.Site{Name: telemetry.OtherSite, Viewers: 5, LineBitsPerSecond: 70})), now)
	site := func(name, copies string, bits int64) v1.SiteStatus {
		return v1.SiteStatus{Name: name, Viewers: 10, Reporting: 10, Copies: copies, LineBitsPerSecond: bits,
			AchievedPercent: percent(89), AchievablePercent: percent(90), OffloadPercent: percent(100)}
	}
	london := site("London", "", 0)
	london.Viewers = 100
	want := []v1.SiteStatus{site("Berlin", "2.90", 9_000_000), london, site("Paris", "1.04", 3_140_000), {Name: telemetry.OtherSite, Viewers: 5, LineBitsPerSecond: 70}}
	if diff := cmp.Diff(want, r.Status.Sites); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(&v1.WorstSiteStatus{Name: "Berlin", Copies: "2.90"}, r.Status.WorstSite); diff != "" {
		t.Error(diff)
	}
	// They stay while the tracker is not read, and go with the sites.
	for name, change := range map[string]func(*status.Observed){
		"a new operator":      func(o *status.Observed) { o.Reading, o.ReadingPending = nil, true },
		"a tracker is silent": func(o *status.Observed) { o.Reading, o.ReadingProblem = nil, "timeout" },
		"a new tracker":       func(o *status.Observed) { o.Reading.Stats.ViewersKnown = false },
	} {
		again, _ := next(t, r.Status, healthy(change), now.Add(time.Second))
		if diff := cmp.Diff(r.Status.Sites, again.Status.Sites); diff != "" || again.Status.WorstSite == nil {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if gone, _ := next(t, r.Status, healthy(), now.Add(time.Second)); gone.Status.Sites != nil || gone.Status.WorstSite != nil {
		t.Errorf("%+v", gone.Status.Sites)
	}
}

// TestSmallMovesAreNotWritten: figures of a minute move all the time, and each write costs all who watch.
func TestSmallMovesAreNotWritten(t *testing.T) {
	t.Parallel()
	first, _ := next(t, pending(), healthy(withSites(office("Berlin", 1.04, 3_000_000))), now)
	for name, tt := range map[string]struct {
		is   stats.Site
		want bool
	}{
		"the same":       {office("Berlin", 1.04, 3_000_000), false},
		"a little":       {office("Berlin", 1.08, 3_200_000), false},
		"more copies":    {office("Berlin", 1.2, 3_000_000), true},
		"more traffic":   {office("Berlin", 1.04, 3_600_000), true},
		"another viewer": {func() stats.Site { s := office("Berlin", 1.04, 3_000_000); s.Viewers++; return s }(), true},
		"no copies":      {func() stats.Site { s := office("Berlin", 1.04, 3_000_000); s.Copies = nil; return s }(), true},
		"less achieved":  {func() stats.Site { s := office("Berlin", 1.04, 3_000_000); s.Achieved = ratio(.8); return s }(), true},
		"another name":   {office("Bonn", 1.04, 3_000_000), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			later := now.Add(20 * time.Second)
			r := status.Next(first.Status, healthy(withSites(tt.is), func(o *status.Observed) { o.Reading.At = later }), now, false, later)
			if r.Write != tt.want {
				t.Errorf("write %t, want %t: %s", r.Write, tt.want, cmp.Diff(first.Status.Sites, r.Status.Sites))
			}
		})
	}
}

// TestHostileSites: whatever a tracker answers can be written.
func TestHostileSites(t *testing.T) {
	t.Parallel()
	var all []stats.Site
	for _, name := range []string{"a\nb", "\xff", strings.Repeat("x", 65), "twice", "twice", telemetry.OtherSite, telemetry.OtherSite} {
		all = append(all, office(name, 1, 1))
	}
	for i, copies := range []float64{math.NaN(), math.Inf(1), -1, 1e300, 1e6} {
		s := office(fmt.Sprint("odd", i), copies, math.MinInt64)
		s.Viewers, s.Reporting, s.Achieved, s.Achievable, s.Offload = -5, 1<<40, ratio(-1), ratio(2), ratio(math.NaN())
		s.Window = telemetry.Sources{Origin: -1, ViewerInside: math.MaxInt64}
		all = append(all, s)
	}
	for i := range 300 {
		all = append(all, office(fmt.Sprintf("site%03d", i), 1, math.MaxInt64))
	}
	r, _ := next(t, pending(), healthy(withSites(all...)), now) // which holds it to the invariants
	if n := len(r.Status.Sites); n != 51 || r.Status.Sites[50].Name != telemetry.OtherSite || r.Status.Sites[50].Viewers < 2500 || r.Status.Sites[50].LineBitsPerSecond < 0 {
		t.Errorf("%d sites, last %+v", n, r.Status.Sites[n-1])
	}
}
