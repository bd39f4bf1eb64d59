// Package judge owns what "flat" means: whether a figure that was sampled over a
// long time has grown. It is pure, so that tables can show what the rule catches
// and what it lets pass.
package judge

import (
	"fmt"
	"math"
	"slices"
)

// Point is one sample.
type Point struct {
	At    float64 // seconds
	Value float64
}

// Rule bounds growth.
type Rule struct {
	// Fraction and Slack are what a figure may be above where it was, together: a
	// share of it, and so much in any case.
	Fraction float64
	Slack    float64
}

// Bound is the most that a figure may be that was at before.
func (r Rule) Bound(before float64) float64 { return before*(1+r.Fraction) + r.Slack }

// enough is how many samples a median needs to stand for a quarter.
const enough = 8

// Verdict is what the rule says of one figure.
type Verdict struct {
	Early float64 // median of the second quarter
	Late  float64 // median of the last quarter
	Bound float64 // Late must not be above
	Flat  bool
	Why   string // why it is not flat; empty if it is
}

// Flat compares the last quarter of a time with the second: the first is the
// warm-up, in which caches fill, heaps find their size and connections are made.
// Medians, because a collection of garbage or a burst of arrivals is no growth. A
// figure of which there is too little to tell is not flat.
func Flat(points []Point, from, to float64, rule Rule) Verdict {
	quarter := (to - from) / 4
	early := within(points, from+quarter, from+2*quarter)
	late := within(points, from+3*quarter, to)
	if len(early) < enough || len(late) < enough {
		return Verdict{Early: math.NaN(), Late: math.NaN(), Bound: math.NaN(),
			Why: fmt.Sprintf("only %d and %d samples in the quarters compared, want %d each", len(early), len(late), enough)}
	}
	v := Verdict{Early: Median(early), Late: Median(late)}
	v.Bound = rule.Bound(v.Early)
	if v.Flat = v.Late <= v.Bound; !v.Flat {
		v.Why = fmt.Sprintf("grew by %.3g", v.Late-v.Early)
	}
	return v
}

// Back tells whether a figure came back to what it was before something that was
// meant to leave nothing behind: before are samples of then, after are samples
// of afterwards, of which one must be in bounds of the highest before. One is
// enough, because what leaks never comes down.
func Back(before, after []float64, rule Rule) Verdict {
	if len(before) == 0 || len(after) == 0 {
		return Verdict{Early: math.NaN(), Late: math.NaN(), Bound: math.NaN(), Why: "no samples"}
	}
	v := Verdict{Early: slices.Max(before), Late: slices.Min(after)}
	v.Bound = rule.Bound(v.Early)
	if v.Flat = v.Late <= v.Bound; !v.Flat {
		v.Why = "did not come back"
	}
	return v
}

func within(points []Point, from, to float64) []float64 {
	var out []float64
	for _, p := range points {
		if p.At >= from && p.At < to {
			out = append(out, p.Value)
		}
	}
	return out
}

// Median of values, which it leaves as they are; NaN of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
