package main

import (
	"math"

	"github.com/p2pstream/p2pstream/test/soak/judge"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// rule bounds one figure.
type rule struct {
	column samples.Column
	judge.Rule
}

// flat says how much each figure of a program that is there throughout may be
// higher in the last quarter than in the second. The slack is what the figure of
// a healthy program swings by of itself, so that a small one may swing too. The
// sessions that a tracker remembers are not here: it keeps them for a day on
// purpose, 100,000 at most.
var flat = []rule{
	{samples.RSS, judge.Rule{Fraction: 0.10, Slack: 4 << 20}},
	{samples.Heap, judge.Rule{Fraction: 0.15, Slack: 3 << 20}},
	{samples.Goroutines, judge.Rule{Fraction: 0.10, Slack: 10}},
	{samples.Descriptors, judge.Rule{Fraction: 0.10, Slack: 4}},
	{samples.Sockets, judge.Rule{Fraction: 0.10, Slack: 3}},
	{samples.Swarms, judge.Rule{Slack: 2}},
	{samples.Peers, judge.Rule{Fraction: 0.15, Slack: 4}},
	{samples.Offers, judge.Rule{Fraction: 0.25, Slack: 10}},
	{samples.Store, judge.Rule{Fraction: 0.10, Slack: 2 << 20}},
}

// counted are the figures that come back to what they were before the churn, and
// how much above the highest of then they may stay.
var counted = []rule{
	{samples.Goroutines, judge.Rule{Fraction: 0.10, Slack: 10}},
	{samples.Descriptors, judge.Rule{Fraction: 0.10, Slack: 4}},
	{samples.Sockets, judge.Rule{Slack: 1}},
	// Players change between swarms in which others are or are not.
	{samples.Peers, judge.Rule{Fraction: 0.5, Slack: 6}},
}

// series is one figure of one program's last life.
func series(rows []samples.Row, program string, c samples.Column) []judge.Point {
	var points []judge.Point
	life := 0
	for _, r := range rows {
		if r.Program != program || math.IsNaN(r.Values[c]) {
			continue
		}
		if r.Life > life {
			life, points = r.Life, nil
		}
		points = append(points, judge.Point{At: r.At, Value: r.Values[c]})
	}
	return points
}

// returned compares a program's figure before the churn with that after it; ok
// is false if the program has no such figure. Goroutines and descriptors of a
// peer go with its connections and with the offers that may become some, of which
// there may be more now: what is compared is then what there is for so many.
func returned(before, after []samples.Row, r rule) (v judge.Verdict, ok bool) {
	var were, are []float64
	most, links := math.Inf(-1), 0.0
	for _, row := range before {
		if v := row.Values[r.column]; !math.IsNaN(v) {
			were = append(were, v)
			if v > most {
				most, links = v, linksOf(row, r.column)
			}
		}
	}
	for _, row := range after {
		v := row.Values[r.column]
		if math.IsNaN(v) {
			continue
		}
		if now := linksOf(row, r.column); now > links && links > 0 {
			v *= links / now
		}
		are = append(are, v)
	}
	if len(were) == 0 && len(are) == 0 {
		return v, false
	}
	return judge.Back(were, are, r.Rule), true
}

// linksOf counts, in connections, what a peer has such things for: an offer has
// all the sockets of a connection, and a third of its goroutines. It is 0 for what
// is no peer, and for other figures.
func linksOf(r samples.Row, c samples.Column) float64 {
	weight := map[samples.Column]float64{samples.Descriptors: 1, samples.Goroutines: 1. / 3}[c]
	links := r.Values[samples.Peers] + weight*r.Values[samples.Offers]
	if weight == 0 || math.IsNaN(links) {
		return 0
	}
	return links
}
