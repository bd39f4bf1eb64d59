package totals

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func counted(n int64) telemetry.Counters {
	return telemetry.Counters{HTTP: n, Seeder: 2 * n, Viewer: 3 * n, Discarded: n / 2, Uploaded: 7 * n}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		readings []Reading
		want     int64 // of origin bytes
		runs     []string
	}{
		"nothing read":                     {nil, 0, nil},
		"one run, read twice":              {[]Reading{{"a", 1, counted(10)}, {"a", 1, counted(25)}}, 25, []string{"a"}},
		"the same reading twice":           {[]Reading{{"a", 1, counted(10)}, {"a", 1, counted(10)}}, 10, []string{"a"}},
		"two runs":                         {[]Reading{{"a", 1, counted(10)}, {"b", 1, counted(5)}}, 15, []string{"a", "b"}},
		"an old run read again":            {[]Reading{{"a", 1, counted(10)}, {"b", 1, counted(5)}, {"a", 1, counted(12)}}, 17, []string{"b", "a"}},
		"answers that overtook each other": {[]Reading{{"a", 1, counted(10)}, {"a", 1, counted(8)}, {"a", 1, counted(11)}}, 11, []string{"a"}},
		"a run that counted nothing":       {[]Reading{{"a", 1, counted(0)}}, 0, nil},
		"no boot id":                       {[]Reading{{"", 1, counted(10)}}, 0, nil},
		"a boot id too long":               {[]Reading{{fmt.Sprintf("%0129d", 1), 1, counted(10)}}, 0, nil},
		"negative counters":                {[]Reading{{"a", 1, counted(-10)}}, 0, []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Add(State{}, tt.readings...)
			want := v1.OffloadTotals{OriginBytes: tt.want, SeederBytes: 2 * tt.want, PeerBytes: 3 * tt.want}
			got.Totals.DiscardedBytes = 0 // halves do not add up
			if diff := cmp.Diff(want, got.Totals); diff != "" {
				t.Error(diff)
			}
			var runs []string
			for _, r := range got.Runs {
				runs = append(runs, r.Boot)
			}
			if diff := cmp.Diff(tt.runs, runs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRunsAreBounded(t *testing.T) {
	t.Parallel()
	var s State
	for i := range 40 {
		s = Add(s, Reading{fmt.Sprint(i), 1, counted(1)})
	}
	if s.Totals.OriginBytes != 40 || len(s.Runs) > 8 || s.Runs[len(s.Runs)-1].Boot != "39" {
		t.Errorf("%+v", s)
	}
}

// TestExactOverDeaths lets the operator die at random moments of reading and writing, and trackers follow
// each other, and holds the totals to what was counted.
func TestExactOverDeaths(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		status := &v1.OffloadStatus{} // what is durable
		var truth, run int64
		boot := 0
		for range 100 {
			switch rnd.IntN(8) {
			case 0: // a new tracker, after the last one was read for the last time
				read := Add(Of(status), Reading{fmt.Sprint(boot), 1, counted(run)})
				status = &v1.OffloadStatus{Totals: &read.Totals, Runs: read.Runs}
				boot, run = boot+1, 0
			case 1, 2: // dies between reading and writing: nothing happened
				Add(Of(status), Reading{fmt.Sprint(boot), 1, counted(run)})
			case 3: // writes and dies before it knows, so the next operator adds the same reading again
				read := Add(Of(status), Reading{fmt.Sprint(boot), 1, counted(run)})
				read = Add(read, Reading{fmt.Sprint(boot), 1, counted(run)})
				status = &v1.OffloadStatus{Totals: &read.Totals, Runs: read.Runs}
			case 4: // reads and writes
				read := Add(Of(status), Reading{fmt.Sprint(boot), 1, counted(run)})
				status = &v1.OffloadStatus{Totals: &read.Totals, Runs: read.Runs}
			default:
				n := rnd.Int64N(1000)
				truth, run = truth+n, run+n
			}
		}
		got := Add(Of(status), Reading{fmt.Sprint(boot), 1, counted(run)})
		if got.Totals.OriginBytes != truth || got.Totals.PeerBytes != 3*truth {
			t.Fatalf("round %d: totals %+v, %d were counted", round, got.Totals, truth)
		}
	}
}

func TestKeptIsWhatStatusHas(t *testing.T) {
	t.Parallel()
	s := Add(State{}, Reading{"a", 3, counted(10)}, Reading{"b", 7, counted(5)})
	s = Add(s, Reading{"a", 4, counted(10)})
	offload := &v1.OffloadStatus{Totals: &s.Totals, Runs: s.Runs}
	// The fourth reading of a gave nothing that the third did not, so it is not in status.
	if diff := cmp.Diff(telemetry.Kept{"a": 3, "b": 7}, Kept(offload)); diff != "" {
		t.Error(diff)
	}
	if kept := Kept(nil); kept == nil || len(kept) != 0 {
		t.Errorf("nothing kept: %v", kept)
	}
}

func TestOfNothing(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(State{}, Of(nil)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(State{}, Of(&v1.OffloadStatus{})); diff != "" {
		t.Error(diff)
	}
}
