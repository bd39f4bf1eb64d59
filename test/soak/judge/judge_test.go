package judge

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// Two hours, sampled every ten seconds.
const (
	until = 7200.0
	every = 10.0
)

var memory = Rule{Fraction: 0.10, Slack: 4}

func sampled(f func(at float64) float64) (points []Point) {
	for at := 0.0; at < until; at += every {
		points = append(points, Point{At: at, Value: f(at)})
	}
	return points
}

// sawtooth is a heap between two collections.
func sawtooth(at, period, low, high float64) float64 {
	return low + (high-low)*math.Mod(at, period)/period
}

func TestFlat(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := func(width float64) float64 { return width * (random.Float64() - 0.5) }
	for name, tt := range map[string]struct {
		points []Point
		rule   Rule
		flat   bool
	}{
		"a constant":                {sampled(func(float64) float64 { return 50 }), memory, true},
		"noise of half its height":  {sampled(func(float64) float64 { return 50 + noise(25) }), memory, true},
		"a heap that is collected":  {sampled(func(at float64) float64 { return sawtooth(at, 170, 20, 60) + noise(4) }), memory, true},
		"rare high peaks":           {sampled(func(at float64) float64 { return 50 + 500*math.Floor(math.Mod(at, 600)/590) }), memory, true},
		"a warm-up, then level":     {sampled(func(at float64) float64 { return 80 * (1 - math.Exp(-at/300)) }), memory, true},
		"a fall":                    {sampled(func(at float64) float64 { return 90 - at/100 }), memory, true},
		"growth within the bound":   {sampled(func(at float64) float64 { return 50 + 7*at/until }), memory, true},
		"nothing at all":            {sampled(func(float64) float64 { return 0 }), Rule{}, true},
		"a leak of a quarter":       {sampled(func(at float64) float64 { return 50 + 25*at/until + noise(5) }), memory, false},
		"a leak under a sawtooth":   {sampled(func(at float64) float64 { return sawtooth(at, 170, 20, 60) + 20*at/until }), memory, false},
		"a leak under heavy noise":  {sampled(func(at float64) float64 { return 50 + 25*at/until + noise(40) }), memory, false},
		"a leak that begins late":   {sampled(func(at float64) float64 { return 50 + max(0, at-4800)/100 }), memory, false},
		"a step after the second":   {sampled(func(at float64) float64 { return 50 + 12*math.Floor(min(at, until-1)/(until/2)) }), memory, false},
		"a goroutine per viewer":    {sampled(func(at float64) float64 { return 40 + 1200*at/until }), Rule{0.10, 10}, false},
		"a descriptor per 20":       {sampled(func(at float64) float64 { return 40 + 60*at/until + noise(10) }), Rule{0.10, 4}, false},
		"it begins from nothing":    {sampled(func(at float64) float64 { return max(0, at-until/2) / 100 }), memory, false},
		"no samples":                {nil, memory, false},
		"samples of the start only": {sampled(func(float64) float64 { return 1 })[:200], memory, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := Flat(tt.points, 0, until, tt.rule)
			if v.Flat != tt.flat || (v.Why == "") != tt.flat {
				t.Errorf("%+v, want flat %v", v, tt.flat)
			}
			if math.IsInf(v.Early, 0) || strings.Contains(v.Why, "NaN") {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestFlatLooksAtTheGivenTimeOnly(t *testing.T) {
	points := sampled(func(at float64) float64 {
		if at < 600 || at >= 6600 {
			return 1000
		}
		return 50
	})
	if v := Flat(points, 600, 6600, memory); !v.Flat || v.Early != 50 || v.Late != 50 {
		t.Errorf("%+v", v)
	}
}

func TestBack(t *testing.T) {
	rule := Rule{Fraction: 0.10, Slack: 4}
	for name, tt := range map[string]struct {
		before, after []float64
		ok            bool
	}{
		"the same":            {[]float64{30, 30}, []float64{30}, true},
		"it takes a while":    {[]float64{30, 31}, []float64{90, 60, 31, 45}, true},
		"within the bound":    {[]float64{30}, []float64{37}, true},
		"less than before":    {[]float64{30}, []float64{3}, true},
		"it stays above":      {[]float64{30, 31}, []float64{90, 60, 50, 45}, false},
		"nothing seen before": {nil, []float64{3}, false},
		"nothing seen after":  {[]float64{3}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if v := Back(tt.before, tt.after, rule); v.Flat != tt.ok || (v.Why == "") != tt.ok {
				t.Errorf("%+v, want %v", v, tt.ok)
			}
		})
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{3: {9, 3, 1}, 2.5: {1, 4, 2, 3}, 7: {7}} {
		if got := Median(values); got != want {
			t.Errorf("median of %v: %v, want %v", values, got, want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing: %v", got)
	}
}
