package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a run for each test of the repository.
func small(seed uint64) Config {
	c := Full()
	c.Seed, c.Sites, c.Most, c.Length = seed, 24, 120, 150*time.Second
	return c
}

// check holds a run to what sites promise: copies in the median and in the worst site.
func check(t *testing.T, f Figures, median, worst float64) {
	t.Helper()
	m, w := f.Copies()
	t.Logf("%d viewers joined: %.3f copies in the median, %.3f in the worst site; %d without a peer after 10 s, %.5f of the time later; "+
		"at most %d gateways a cell, %d cells; first segment after %s, 99 of 100 within %s; segments arrived after %s, 99 of 100 within %s; "+
		"%d stalls, %s in all, %d leaps; %d gateways killed; %d announces, %d offers relayed; %s; %+v",
		f.Joined, m, w, f.Lonely, f.LonelyTime, f.Gateways, f.Cells, f.Start50, f.Start99, f.Delay50, f.Delay99,
		f.Stalls, f.Stalled, f.Leaps, f.Killed, f.Announces, f.Relayed, f.Crossings, f.Spread)
	if m > median || w > worst {
		t.Errorf("%.3f copies in the median, %.3f in the worst site", m, w)
	}
	if f.Lonely > 0 {
		t.Errorf("%d viewers without a peer after 10 s", f.Lonely)
	}
	if f.Gateways > 3 || f.Across > 0 {
		t.Errorf("%d gateways a cell, %d connections between sites", f.Gateways, f.Across)
	}
}

// TestAll plays the runs of docs/simulation.md if SIM_OUT names a folder, and writes its table and plots there.
func TestAll(t *testing.T) {
	out := os.Getenv("SIM_OUT")
	if out == "" {
		return // it takes minutes of a processor
	}
	f := Run(Full())
	check(t, f, 1.2, 2)
	if f.Stalls > 0 {
		t.Errorf("%d stalls", f.Stalls)
	}
	loose := Full()
	loose.Unspread = true
	g := Run(loose)
	m, w := g.Copies()
	t.Logf("with seeders that hold nothing back: %.3f copies in the median, %.3f in the worst site, %d stalls, arrival %s and %s", m, w, g.Stalls, g.Delay50, g.Delay99)
	var table strings.Builder
	table.WriteString("site,viewers,copies,copies_with_storm,origin_share\n")
	for _, s := range f.Sites {
		_, _ = fmt.Fprintf(&table, "%s,%d,%.3f,%.3f,%.3f\n", s.Name, s.Viewers, s.Copies, s.CopiesRun, s.OriginShare)
	}
	for name, text := range map[string]string{
		"simulation.csv": table.String(),
		"copies.svg": Plot{Title: "Copies over a site's line", X: "viewers of the site", Y: "copies", LogX: true, MaxY: 5, Marks: []float64{1.2, 2},
			Series: []Series{g.points("nothing held back", "#c60"), f.points("as it is", "#06c")}}.SVG(),
		"arrival.svg": Plot{Title: "Arrival of live segments", X: "seconds after publication", Y: "of 100 segments", MaxY: 100,
			Series: []Series{g.arrivals("nothing held back", "#c60"), f.arrivals("as it is", "#06c")}}.SVG(),
	} {
		if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSites plays sites of 5 to 120 viewers with a storm of joins and churn.
func TestSites(t *testing.T) {
	for seed := range uint64(2) {
		f := Run(small(seed))
		check(t, f, 1.2, 2)
		if f.Stalls > 0 {
			t.Errorf("%d stalls", f.Stalls)
		}
	}
}

// TestGatewaysAreKilled: every 20 s one gateway of each site goes without a word.
func TestGatewaysAreKilled(t *testing.T) {
	c := small(7)
	c.Kill = 20 * time.Second
	f := Run(c)
	check(t, f, 1.6, 2.5)
	if f.Stalls > 0 || f.Killed < 100 {
		t.Errorf("%d stalls, %d gateways killed", f.Stalls, f.Killed)
	}
}

// TestThinLines: lines of 20 Mbit/s that up to 100 viewers share, for a stream of 3 Mbit/s. They would be full while all viewers join, if
// several gateways brought the same segments.
func TestThinLines(t *testing.T) {
	for seed := range uint64(2) {
		c := small(seed)
		c.LineViewers = 100
		f := Run(c)
		check(t, f, 1.2, 2)
		if f.Stalls > 0 {
			t.Errorf("%d stalls", f.Stalls)
		}
	}
}
