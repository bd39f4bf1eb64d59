package onecopy

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mean plays a run with some seeds and holds the mean of its copies to a bound. No player may stall.
func mean(t *testing.T, cfg Config, seeds int, most float64) {
	t.Helper()
	sum := 0.0
	for seed := range seeds {
		cfg.Seed = uint64(seed + 1)
		f := Run(cfg)
		t.Logf("seed %d: %s", cfg.Seed, f)
		sum += f.Copies
		if f.Stalls > 0 || f.Jumps > 0 || f.Unstarted > 0 {
			t.Errorf("seed %d: %d stalls, %d jumps, %d viewers do not begin to play", cfg.Seed, f.Stalls, f.Jumps, f.Unstarted)
		}
	}
	t.Logf("%d viewers, %d seeders: %.2f copies", cfg.Viewers, cfg.Seeders, sum/float64(seeds))
	if copies := sum / float64(seeds); copies > most {
		t.Errorf("%d viewers and %d seeders take %.2f copies, want at most %.2f", cfg.Viewers, cfg.Seeders, copies, most)
	}
}

// TestViewersElectOne: without a seeder, viewers that do not all know each other fetch each segment little more than once, also
// when they play only three target durations behind the edge. Of fifty of which each fetches what it sees, about six do.
func TestViewersElectOne(t *testing.T) {
	t.Parallel()
	for n, most := range map[int]float64{2: 1.1, 10: 1.3, 50: 1.5} {
		mean(t, Usual(n, 0), 2, most)
	}
	crowd := Usual(200, 0)
	crowd.Length = time.Minute
	mean(t, crowd, 1, 2.5)
}

// TestAWrongCountCostsCopiesOnly: every segment comes in time, whatever a tracker says of the size of a swarm.
func TestAWrongCountCostsCopiesOnly(t *testing.T) {
	t.Parallel()
	for _, says := range []int{-5, 3, 1 << 31} {
		cfg := Usual(20, 0)
		cfg.Says, cfg.Length = says, time.Minute
		mean(t, cfg, 1, 20)
	}
}

// TestAnotherViewerTakesOver when the one that was elected does not bring the segment.
func TestAnotherViewerTakesOver(t *testing.T) {
	t.Parallel()
	cfg := Usual(20, 0)
	cfg.Behind, cfg.Deserters = 5, 0.3
	mean(t, cfg, 3, 2.2)
}

// TestViewersThatLeaveAreReplaced: a third of them goes without a word each minute, some while they fetch for the others.
func TestViewersThatLeaveAreReplaced(t *testing.T) {
	t.Parallel()
	cfg := Usual(30, 0)
	cfg.Churn = 0.3
	mean(t, cfg, 2, 3)
}

// TestSeedersFetchOneCopyTogether, however many there are.
func TestSeedersFetchOneCopyTogether(t *testing.T) {
	t.Parallel()
	for _, seeders := range []int{1, 2, 3} {
		mean(t, Usual(10, seeders), 1, 1.05)
	}
}

// TestASeederTakesOver from one that gets nothing from the origin: that one asks in vain for its part, and another one brings it.
func TestASeederTakesOver(t *testing.T) {
	t.Parallel()
	for _, seeders := range []int{2, 3} {
		cfg := Usual(10, seeders)
		cfg.SeederHangs = true
		mean(t, cfg, 1, 1.8)
	}
}
