package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/p2pstream/p2pstream/test/soak/chart"
	"github.com/p2pstream/p2pstream/test/soak/judge"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// files reads what a soak wrote, of one that still runs too.
func files(csv string) (rows []samples.Row, events []samples.Event, err error) {
	if err := reading(csv, func(r io.Reader) (err error) {
		rows, err = samples.Read(r)
		return err
	}); err != nil {
		return nil, nil, err
	}
	err = reading(filepath.Join(filepath.Dir(csv), eventsFile), func(r io.Reader) (err error) {
		events, err = samples.ReadEvents(r)
		return err
	})
	return rows, events, err
}

// reading opens a file, or what gzip made of it.
func reading(name string, read func(io.Reader) error) error {
	name = strings.TrimSuffix(name, ".gz")
	f, err := os.Open(name)
	if err == nil {
		defer func() { _ = f.Close() }() // it was only read
		return read(f)
	}
	packed, gzErr := os.Open(name + ".gz")
	if gzErr != nil {
		return fmt.Errorf("opening what a soak wrote: %w", err)
	}
	defer func() { _ = packed.Close() }() // as above
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return fmt.Errorf("unpacking %s: %w", packed.Name(), err)
	}
	return read(unpacked)
}

// graph draws the samples of a soak.
func graph(csv, svg string) error {
	rows, events, err := files(csv)
	if err != nil {
		return err
	}
	if err := os.WriteFile(svg, []byte(chart.SVG(picture(rows, events))), 0o644); err != nil {
		return fmt.Errorf("writing graph: %w", err)
	}
	return nil
}

// picture is what there is to see.
func picture(rows []samples.Row, events []samples.Event) chart.Chart {
	c := chart.Chart{Title: "p2pstream soak: programs that are there throughout, and a seeder that is restarted"}
	for _, r := range rows {
		c.Until = max(c.Until, r.At)
		if !isComer(r.Program) && !slices.Contains(c.Names, r.Program) {
			c.Names = append(c.Names, r.Program)
		}
	}
	slices.SortFunc(c.Names, func(a, b string) int { return order(a) - order(b) })
	joins := 0
	for _, e := range events {
		if e.What == samples.Join {
			joins++
		}
	}
	c.Note = fmt.Sprintf("%d viewers came and went; each point is the median of %s", joins, bucketText(bucket(c.Until)))
	for _, p := range []struct {
		title  string
		column samples.Column
		unit   float64
	}{
		{"Resident memory, MiB", samples.RSS, 1 << 20}, {"Go heap in use, MiB", samples.Heap, 1 << 20},
		{"Goroutines", samples.Goroutines, 1}, {"Open descriptors", samples.Descriptors, 1},
	} {
		c.Panels = append(c.Panels, chart.Panel{Title: p.title, Lines: lines(c.Names, rows, p.column, p.unit, bucket(c.Until))})
	}
	c.Panels = append(c.Panels, audience(rows, bucket(c.Until)))
	c.Marks = marks(events)
	c.Spans = spans(events)
	return c
}

// audience counts who is there, to be seen beside what it costs.
func audience(rows []samples.Row, width float64) chart.Panel {
	var sockets []judge.Point
	for _, r := range rows {
		if r.Program == trackerName && !math.IsNaN(r.Values[samples.Sockets]) {
			sockets = append(sockets, judge.Point{At: r.At, Value: r.Values[samples.Sockets]})
		}
	}
	return chart.Panel{Title: "Sockets on the tracker: viewers and seeders",
		Lines: []chart.Line{{Name: trackerName, Points: thin(sockets, width, 1)}}}
}

// order is that of the legend.
func order(name string) int {
	for i, known := range []string{trackerName, stunName, originName, keptSeeder, otherSeeder, crowdName} {
		if name == known {
			return i
		}
	}
	return 10 + int(name[len(name)-1])
}

// points is how many of them a line has at most.
const points = 120

func bucket(until float64) float64 { return math.Ceil(max(until/(points-1), 1)) }

func bucketText(seconds float64) string {
	if seconds == 1 {
		return "a second"
	}
	return fmt.Sprintf("%.0f seconds", seconds)
}

// lines has one for each life of each program.
func lines(names []string, rows []samples.Row, column samples.Column, unit, width float64) []chart.Line {
	var out []chart.Line
	for _, name := range names {
		lives := map[int][]judge.Point{}
		var lifes []int
		for _, r := range rows {
			if v := r.Values[column]; r.Program == name && !math.IsNaN(v) {
				if lives[r.Life] == nil {
					lifes = append(lifes, r.Life)
				}
				lives[r.Life] = append(lives[r.Life], judge.Point{At: r.At, Value: v})
			}
		}
		for _, life := range lifes {
			out = append(out, chart.Line{Name: name, Points: thin(lives[life], width, unit)})
		}
	}
	return out
}

// thin makes one point, the median, of all that lie in the same span of time.
func thin(in []judge.Point, width, unit float64) []chart.Point {
	var out []chart.Point
	for len(in) > 0 {
		n, values := 0, []float64(nil)
		for n < len(in) && math.Floor(in[n].At/width) == math.Floor(in[0].At/width) {
			values = append(values, in[n].Value/unit)
			n++
		}
		out = append(out, chart.Point{X: in[n/2].At, Y: judge.Median(values)})
		in = in[n:]
	}
	return out
}

func marks(events []samples.Event) []chart.Mark {
	var out []chart.Mark
	for _, e := range events {
		switch {
		case e.What == samples.Term && e.Program == trackerName:
			out = append(out, chart.Mark{At: e.At, Label: "tracker restarted", Style: chart.Style{Colour: "#0072b2"}})
		case e.What == samples.Term:
			out = append(out, chart.Mark{At: e.At, Label: e.Program + " SIGTERM", Style: chart.Style{Colour: "#b8860b", Dashes: "5 3"}})
		case e.What == samples.Kill:
			out = append(out, chart.Mark{At: e.At, Label: e.Program + " SIGKILL", Style: chart.Style{Colour: "#c00000", Dashes: "2 3"}})
		case e.What == samples.Churn, e.What == samples.Quiet:
			out = append(out, chart.Mark{At: e.At, Label: "churn begins, ends", Style: chart.Style{Colour: "#000"}})
		}
	}
	return out
}

// spans are the quarters that are compared.
func spans(events []samples.Event) []chart.Span {
	from, began := samples.At(events, samples.Churn)
	to, ended := samples.At(events, samples.Quiet)
	if !began || !ended {
		return nil
	}
	quarter := (to - from) / 4
	return []chart.Span{
		{From: from + quarter, To: from + 2*quarter, Label: "median of this quarter …", Colour: "#f0f4f8"},
		{From: from + 3*quarter, To: to, Label: "… is compared with that of this one", Colour: "#f0f4f8"},
	}
}
