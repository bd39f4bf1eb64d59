package telemetry

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func told(sequence int64, c Counters, played ...Played) Report {
	return Report{Version: 1, Sequence: sequence, Role: RoleViewer, Counters: c, Played: played}
}

func sender(key, site string) Sender {
	return Sender{Key: key, Stream: "s", Site: site, Role: RoleViewer, Began: start}
}

func accept(t *testing.T, a *Aggregate, from Sender, r Report, at time.Duration) Result {
	t.Helper()
	result, err := a.Accept(from, r, start.Add(at))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestTheFirstReportToAnotherTracker: a tracker that has just started takes note of what a session told before, and counts from
// there.
func TestTheFirstReportToAnotherTracker(t *testing.T) {
	a := NewAggregate(Config{}, start)
	r := told(9, Counters{Seeder: 900}, Played{"720p", Sources{SeederOutside: 900}})
	r.Base = &Counters{Seeder: 800}
	if result := accept(t, a, sender("v", "Berlin"), r, 5*time.Second); result.Delta.Seeder != 100 || result.Played != nil {
		t.Errorf("%+v", result)
	}
	result := accept(t, a, sender("v", "Berlin"), told(10, Counters{Seeder: 1000}, Played{"720p", Sources{SeederOutside: 1000}}), 10*time.Second)
	if len(result.Played) != 1 || result.Played[0] != (Played{"720p", Sources{SeederOutside: 100}}) {
		t.Errorf("%+v", result.Played)
	}
	if got := siteNamed(t, a, "Berlin", start.Add(10*time.Second)); got.Viewers != (Sources{SeederOutside: 100}) {
		t.Errorf("%+v", got)
	}
}

// TestNoMoreThanTheCounters: what is told of renditions is cut to what the counters say, source by source, and a rendition
// whose bytes fall adds nothing.
func TestNoMoreThanTheCounters(t *testing.T) {
	a := NewAggregate(Config{}, start)
	result := accept(t, a, sender("v", "Berlin"), told(1, Counters{HTTP: 100, Seeder: 50},
		Played{"a", Sources{Origin: 150, SeederInside: 30, ViewerOutside: 7}}, Played{"b", Sources{Origin: 50, SeederOutside: 10}}), 5*time.Second)
	want := []Played{{"a", Sources{Origin: 75, SeederInside: 30}}, {"b", Sources{Origin: 25, SeederOutside: 10}}}
	if fmt.Sprint(result.Played) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", result.Played, want)
	}
	result = accept(t, a, sender("v", "Berlin"), told(2, Counters{HTTP: 200, Seeder: 50},
		Played{"a", Sources{Origin: 10}}, Played{"b", Sources{Origin: 100}}), 10*time.Second)
	if got := siteNamed(t, a, "Berlin", start.Add(10*time.Second)); got.Viewers.Received() != 190 {
		t.Errorf("%+v of %+v", got, result.Played)
	}
}

// TestSeedersAtASite: what they receive comes over the line too.
func TestSeedersAtASite(t *testing.T) {
	a := NewAggregate(Config{}, start)
	seeder := Sender{Key: "edge", Stream: "s", Site: "Berlin", Role: RoleSeeder, Began: start}
	report := func(n int64, played ...Played) Report {
		r := told(n, Counters{HTTP: 100 * n, Seeder: 1000 * n}, played...)
		r.Role = RoleSeeder
		return r
	}
	accept(t, a, seeder, report(1, Played{"", Sources{Origin: 100, SeederOutside: 1000}}), 5*time.Second)
	accept(t, a, sender("v", "Berlin"), told(1, Counters{Seeder: 1100}, Played{"720p", Sources{SeederInside: 1100}}), 5*time.Second)
	got := siteNamed(t, a, "Berlin", start.Add(5*time.Second))
	if copies, ok := got.Copies(); !ok || copies != 1 || got.Seeders.Outside() != 1100 || got.Viewers.Outside() != 0 || got.Reporting != 1 {
		t.Errorf("%v copies of %+v", copies, got)
	}
	// A seeder that does not tell has all from elsewhere.
	accept(t, a, seeder, report(2), 10*time.Second)
	if got := siteNamed(t, a, "Berlin", start.Add(10*time.Second)); got.Seeders.Outside() != 2200 {
		t.Errorf("%+v", got)
	}
}

// TestOutsideOfAllSites has bytes and no copies: it is no place with a line.
func TestOutsideOfAllSites(t *testing.T) {
	a := NewAggregate(Config{}, start)
	accept(t, a, sender("v", ""), told(1, Counters{HTTP: 100}, Played{"a", Sources{Origin: 100}}), 5*time.Second)
	got := siteNamed(t, a, "", start.Add(5*time.Second))
	_, copies := got.Copies()
	_, achieved := got.Achieved()
	offload, ok := got.Offload()
	if copies || achieved || !ok || offload != 0 || got.Outside() != 100 {
		t.Errorf("%+v", got)
	}
}

// TestSitesAreBounded: further sites are one, further renditions of a site too, and no byte is lost.
func TestSitesAreBounded(t *testing.T) {
	a := NewAggregate(Config{MaxSites: 3, MaxCells: 5}, start)
	for i := range 20 {
		r := told(1, Counters{HTTP: 8}, Played{"x", Sources{Origin: 2}}, Played{"y", Sources{Origin: 2}}, Played{"z", Sources{Origin: 2}}, Played{"", Sources{Origin: 2}})
		accept(t, a, sender(fmt.Sprint("v", i), fmt.Sprint("site", i)), r, 5*time.Second)
	}
	var sum int64
	all := a.Sites("s", start.Add(5*time.Second))
	cells := 0
	for _, s := range all {
		sum += s.Viewers.Received()
		cells += len(s.Renditions)
		if _, ok := s.Copies(); ok && s.Site == OtherSite {
			t.Error("copies of several places")
		}
	}
	if folded, foldedCells := a.Folded(); sum != 160 || len(all) != 4 || cells > 5+2*4 || folded != 17 || foldedCells == 0 {
		t.Errorf("%d bytes, %d sites, %d cells, %d and %d folded: %+v", sum, len(all), cells, folded, foldedCells, all)
	}
	// Sites that are silent make room.
	accept(t, a, sender("late", "new"), told(1, Counters{HTTP: 1}, Played{"x", Sources{Origin: 1}}), time.Hour)
	if got := siteNamed(t, a, "new", start.Add(time.Hour)); got.Reporting != 1 || len(a.sites) != 1 || a.cells != 1 {
		t.Errorf("%+v, %d sites and %d cells", got, len(a.sites), a.cells)
	}
}

// TestRenditionsByAnyName: pages name renditions in their own way, and names that are not the stream's make no sums.
func TestRenditionsByAnyName(t *testing.T) {
	a := NewAggregate(Config{}, start)
	a.SetRenditions(map[string]string{"720p": "720p", "main-0": "720p"})
	accept(t, a, sender("v", "Berlin"), told(1, Counters{Viewer: 7}, Played{"720p", Sources{ViewerInside: 7}}), 5*time.Second)
	accept(t, a, sender("p", "Berlin"), told(1, Counters{Viewer: 7}, Played{"main-0", Sources{ViewerInside: 7}}), 5*time.Second)
	accept(t, a, sender("x", "Berlin"), told(1, Counters{Viewer: 2}, Played{"invented", Sources{ViewerInside: 1}}, Played{"too", Sources{ViewerInside: 1}}), 5*time.Second)
	got := siteNamed(t, a, "Berlin", start.Add(5*time.Second))
	if len(got.Renditions) != 2 || got.Renditions[0].Rendition != "720p" || got.Renditions[0].Received.ViewerInside != 14 || got.Renditions[0].Viewers != 2 ||
		got.Renditions[1].Rendition != OtherRendition || got.Renditions[1].Received.ViewerInside != 2 {
		t.Errorf("%+v", got.Renditions)
	}
}

// TestReportsInQuickSuccession: a page that leaves reports shortly after its last report, and all its bytes make one copy.
func TestReportsInQuickSuccession(t *testing.T) {
	a := NewAggregate(Config{}, start)
	at := []time.Duration{5 * time.Second, 10 * time.Second, 10200 * time.Millisecond}
	for i, after := range at {
		n := int64(i+1) * 1000
		accept(t, a, sender("v", "Berlin"), told(int64(i+1), Counters{HTTP: n}, Played{"a", Sources{Origin: n}}), after)
	}
	if got := siteNamed(t, a, "Berlin", start.Add(11*time.Second)); got.OneCopy != 3000 || got.Outside() != 3000 {
		t.Errorf("%+v", got)
	}
}

// TestASessionHasFewRenditions, whatever it tells.
func TestASessionHasFewRenditions(t *testing.T) {
	a := NewAggregate(Config{}, start)
	for i := range int64(100) {
		accept(t, a, sender("v", "Berlin"), told(i+1, Counters{HTTP: i}, Played{fmt.Sprint("r", i), Sources{Origin: 1}}), time.Duration(i+1)*5*time.Second)
	}
	a.unpack(&a.work, a.records.recent)
	if n := len(a.work.played); n > 2*MaxPlayed {
		t.Errorf("%d renditions of one session", n)
	}
}

func TestPlayedIsChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		played string
		want   Reason
	}{
		"none":            {`[]`, ""},
		"one":             {`[{"r":"720p","origin":1,"seederInside":2,"seederOutside":3,"viewerInside":4,"viewerOutside":5}]`, ""},
		"all together":    {`[{"r":"","origin":1}]`, ""},
		"null":            {`null`, ""},
		"a later field":   {`[{"r":"720p","cache":1}]`, ""},
		"negative":        {`[{"r":"720p","origin":-1}]`, Malformed},
		"too large":       {`[{"r":"720p","viewerOutside":9007199254740992}]`, Malformed},
		"twice":           {`[{"r":"720p"},{"r":"720p"}]`, Malformed},
		"not printable":   {`[{"r":"72\n0p"}]`, Malformed},
		"a long name":     {`[{"r":"` + strings.Repeat("x", MaxNameLength+1) + `"}]`, Malformed},
		"too many":        {`[` + strings.TrimSuffix(strings.Repeat(`{"r":""},`, MaxPlayed+1), ",") + `]`, Malformed},
		"something else":  {`"720p"`, Malformed},
		"not whole bytes": {`[{"r":"720p","origin":1.5}]`, Malformed},
	} {
		_, err := DecodeReport([]byte(`{"v":1,"sequence":1,"role":"viewer","counters":{},"played":` + tt.played + `}`))
		var got Reason
		if err != nil {
			got = reasonOf(t, err)
		}
		if got != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
