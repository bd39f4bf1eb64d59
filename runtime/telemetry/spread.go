package telemetry

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
)

// Bounds of a Spread.
const (
	spreadAccuracy = 0.02             // of its percentiles, relative
	spreadBins     = 512              // more than all values within the bounds need
	longestSpread  = 10 * time.Minute // longer durations count as this one
)

// Spread is the distribution of durations: a sketch (Masson et al., DDSketch, VLDB 2019) from which percentiles are read that
// are within 2 % of the exact ones. Spreads of several trackers can be merged. It takes a few kilobytes, however many durations
// it has. The zero value is empty.
type Spread struct{ sketch *ddsketch.DDSketch }

// spreadMapping is that of all sketches: only those with one mapping can be merged.
func spreadMapping() mapping.IndexMapping {
	m, err := mapping.NewLogarithmicMapping(spreadAccuracy)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return m
}

func spreadStore() store.Store { return store.NewCollapsingLowestDenseStore(spreadBins) }

// Add counts a duration n times. Durations outside of one millisecond to ten minutes count as these.
func (s *Spread) Add(d time.Duration, n int) {
	if n > 0 {
		s.add(float64(min(max(d, time.Millisecond), longestSpread))/float64(time.Millisecond), float64(n))
	}
}

func (s *Spread) add(ms, count float64) {
	if s.sketch == nil {
		s.sketch = ddsketch.NewDDSketch(spreadMapping(), spreadStore(), spreadStore())
	}
	_ = s.sketch.AddWithCount(ms, count) // fails for values that are no numbers or out of range, and for negative counts
}

// Count returns how many durations were added.
func (s *Spread) Count() int64 {
	if s.sketch == nil {
		return 0
	}
	return int64(s.sketch.GetCount())
}

// Percentile returns the duration that a share of all does not exceed, with share from 0 to 1; false if there are none.
func (s *Spread) Percentile(share float64) (time.Duration, bool) {
	if s.sketch == nil {
		return 0, false
	}
	ms, err := s.sketch.GetValueAtQuantile(share)
	if err != nil {
		return 0, false
	}
	return time.Duration(ms * float64(time.Millisecond)), true
}

// Merge adds the durations of another one, which stays as it is.
func (s *Spread) Merge(t Spread) {
	if t.sketch == nil {
		return
	}
	if s.sketch == nil {
		s.sketch = t.sketch.Copy()
		return
	}
	_ = s.sketch.MergeWith(t.sketch) // fails for different mappings only, and there is one
}

// Equal reports whether two distributions have the same durations, within their accuracy.
func (s Spread) Equal(t Spread) bool {
	a, errA := json.Marshal(s)
	b, errB := json.Marshal(t)
	return errA == nil && errB == nil && string(a) == string(b)
}

// spreadJSON is a Spread in JSON. Readers that do not merge sketches read the percentiles.
type spreadJSON struct {
	Count int64   `json:"count"`
	P50Ms float64 `json:"p50Ms"`
	P95Ms float64 `json:"p95Ms"`
	P99Ms float64 `json:"p99Ms"`
	// Bins are pairs of an index and a count. Index i holds the durations, in milliseconds, between γ^i and γ^(i+1), where γ is
	// (1 + 0.02) ÷ (1 − 0.02). The encoding of the library is not used: reading it from strangers can panic.
	Bins [][2]int64 `json:"bins,omitempty"`
}

// MarshalJSON writes the number of durations, three percentiles in milliseconds, and the sketch.
func (s Spread) MarshalJSON() ([]byte, error) {
	out := spreadJSON{Count: s.Count()}
	if s.sketch != nil {
		for share, ms := range map[float64]*float64{.5: &out.P50Ms, .95: &out.P95Ms, .99: &out.P99Ms} {
			d, _ := s.Percentile(share)
			*ms = float64(d.Round(10*time.Microsecond)) / float64(time.Millisecond)
		}
		s.sketch.ForEach(func(ms, count float64) bool {
			out.Bins = append(out.Bins, [2]int64{int64(s.sketch.Index(ms)), int64(count)})
			return false
		})
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote. It refuses bins that no duration is in.
func (s *Spread) UnmarshalJSON(b []byte) error {
	var in spreadJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return fmt.Errorf("reading distribution: %w", err)
	}
	var read Spread
	m := spreadMapping()
	least, most := int64(m.Index(1)), int64(m.Index(float64(longestSpread/time.Millisecond)))
	if len(in.Bins) > spreadBins {
		return errors.New("reading distribution: too many bins")
	}
	for _, bin := range in.Bins {
		if bin[0] < least || bin[0] > most || bin[1] < 1 || bin[1] > MaxCounter {
			return errors.New("reading distribution: a bin is out of range, or bins do not ascend")
		}
		least = bin[0] + 1
		read.add(m.Value(int(bin[0])), float64(bin[1]))
	}
	*s = read
	return nil
}
