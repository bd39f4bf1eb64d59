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

// check holds a run to what sites promise.
func check(t *testing.T, f Figures, gateways int) {
	t.Helper()
	median, worst := f.Copies()
	t.Logf("%d viewers joined: %.3f copies in the median, %.3f in the worst site; %d without a peer after 10 s, %.5f of the time later; "+
		"at most %d gateways a cell, %d cells; segments arrived after %s, 99 of 100 within %s; %d announces, %d offers relayed",
		f.Joined, median, worst, f.Lonely, f.LonelyTime, f.Gateways, f.Cells, f.Delay50, f.Delay99, f.Announces, f.Relayed)
	if median > 1.2 || worst > 2 {
		t.Errorf("%.3f copies in the median, %.3f in the worst site", median, worst)
	}
	if f.Lonely > 0 {
		t.Errorf("%d viewers without a peer after 10 s", f.Lonely)
	}
	if f.Gateways > gateways || f.Across > 0 {
		t.Errorf("%d gateways a cell, %d connections between sites", f.Gateways, f.Across)
	}
}

// TestAll plays the run of docs/simulation.md if SIM_OUT names a folder, and writes its table there.
func TestAll(t *testing.T) {
	out := os.Getenv("SIM_OUT")
	if out == "" {
		return // it takes a minute of a processor
	}
	f := Run(Full())
	check(t, f, 3)
	var table strings.Builder
	table.WriteString("site,viewers,copies,copies_with_storm,origin_share\n")
	for _, s := range f.Sites {
		_, _ = fmt.Fprintf(&table, "%s,%d,%.3f,%.3f,%.3f\n", s.Name, s.Viewers, s.Copies, s.CopiesRun, s.OriginShare)
	}
	if err := os.WriteFile(filepath.Join(out, "simulation.csv"), []byte(table.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSites plays sites of 5 to 120 viewers with a storm of joins and churn.
func TestSites(t *testing.T) {
	for seed := range uint64(2) {
		check(t, Run(small(seed)), 3)
	}
}
