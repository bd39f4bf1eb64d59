package main

import (
	"math"
	"slices"

	"github.com/p2pstream/p2pstream/test/soak/judge"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// rule bounds one figure of the programs that are there throughout.
type rule struct {
	column samples.Column
	rest   bool // without what connections and offers take; of peers only
	judge.Rule
}

// name of the figure in checks.
func (r rule) name() string {
	if r.rest {
		return r.column.String() + " beyond connections"
	}
	return r.column.String()
}

// value is the figure of a row; ok is false if the program has none.
func (r rule) value(row samples.Row, cs costs) (v float64, ok bool) {
	if r.rest {
		return cs.rest(row, r.column)
	}
	v = row.Values[r.column]
	return v, !math.IsNaN(v)
}

// flat says how much each figure may be higher in the last quarter than in the
// second. The slack is what the figure of a healthy program swings by of itself,
// so that a small one may swing too. The sessions that a tracker remembers are not
// here: it keeps them for a day on purpose, 100,000 at most.
var flat = []rule{
	{samples.RSS, false, judge.Rule{Fraction: 0.10, Slack: 4 << 20}},
	{samples.Heap, false, judge.Rule{Fraction: 0.15, Slack: 3 << 20}},
	{samples.Goroutines, false, judge.Rule{Fraction: 0.10, Slack: 10}},
	{samples.Goroutines, true, judge.Rule{Fraction: 0.10, Slack: 6}},
	{samples.Descriptors, false, judge.Rule{Fraction: 0.10, Slack: 4}},
	{samples.Descriptors, true, judge.Rule{Fraction: 0.10, Slack: 4}},
	{samples.Sockets, false, judge.Rule{Fraction: 0.10, Slack: 3}},
	{samples.Swarms, false, judge.Rule{Slack: 2}},
	{samples.Peers, false, judge.Rule{Fraction: 0.15, Slack: 4}},
	{samples.Offers, false, judge.Rule{Fraction: 0.25, Slack: 10}},
	{samples.Store, false, judge.Rule{Fraction: 0.10, Slack: 2 << 20}},
}

// counted are the figures that come back to what they were before the churn, and
// how much above the highest of then they may stay. Of peers it is what remains
// beyond their connections that must come back, and these by themselves: whom a
// player meets depends on the renditions that it and others chose last.
var counted = []rule{
	{samples.Goroutines, false, judge.Rule{Fraction: 0.10, Slack: 8}},
	{samples.Goroutines, true, judge.Rule{Fraction: 0.10, Slack: 8}},
	{samples.Descriptors, false, judge.Rule{Fraction: 0.10, Slack: 4}},
	{samples.Descriptors, true, judge.Rule{Fraction: 0.10, Slack: 4}},
	{samples.Sockets, false, judge.Rule{Slack: 1}},
	{samples.Peers, false, judge.Rule{Fraction: 0.5, Slack: 6}},
}

// isPeer tells whether a program has connections to others over WebRTC.
func isPeer(name string) bool {
	return name == keptSeeder || name == otherSeeder || isViewer(name) || isComer(name)
}

// flatness judges all figures of a program between two moments.
func flatness(rows []samples.Row, cs costs, name string, from, to float64) (out []check) {
	for _, r := range flat {
		if points := series(rows, cs, name, r); len(points) > 0 {
			out = append(out, newCheck(name, r, kindFlat, judge.Flat(points, from, to, r.Rule)))
		}
	}
	return out
}

// series is one figure of one program's last life.
func series(rows []samples.Row, cs costs, program string, r rule) []judge.Point {
	var points []judge.Point
	life := 0
	for _, row := range rows {
		if row.Program != program {
			continue
		}
		if row.Life > life {
			life, points = row.Life, nil
		}
		if v, ok := r.value(row, cs); ok {
			points = append(points, judge.Point{At: row.At, Value: v})
		}
	}
	return points
}

// comeback judges whether all counts of a program are, after the churn, what they
// were for a while before it.
func comeback(rows []samples.Row, cs costs, name string, settled, from, to float64) (out []check) {
	for _, r := range counted {
		if isPeer(name) && !r.rest && (r.column == samples.Goroutines || r.column == samples.Descriptors) {
			continue
		}
		var before, after []float64
		for _, row := range rows {
			v, ok := r.value(row, cs)
			switch {
			case !ok || row.Program != name:
			case row.At >= settled && row.At < from:
				before = append(before, v)
			case row.At > to:
				after = append(after, v)
			}
		}
		if has := slices.ContainsFunc(rows, func(row samples.Row) bool {
			_, ok := r.value(row, cs)
			return ok && row.Program == name
		}); has {
			out = append(out, newCheck(name, r, kindBack, judge.Back(before, after, r.Rule)))
		}
	}
	return out
}

// kept are the programs that are there throughout.
func kept(rows []samples.Row) (names []string) {
	for _, r := range rows {
		if isKept(r.Program) && !slices.Contains(names, r.Program) {
			names = append(names, r.Program)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return order(a) - order(b) })
	return names
}

// newCheck replaces what is no number, which JSON has no word for.
func newCheck(name string, r rule, kind string, v judge.Verdict) check {
	for _, f := range []*float64{&v.Early, &v.Late, &v.Bound} {
		if math.IsNaN(*f) {
			*f = -1
		}
	}
	return check{Program: name, Figure: r.name(), Kind: kind, Early: v.Early, Late: v.Late, Bound: v.Bound, OK: v.Flat, Why: v.Why}
}
