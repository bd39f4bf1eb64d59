// Package chart draws figures over time as one SVG: panels above each other with
// a common time axis, lines, vertical marks and shaded spans. It is pure.
package chart

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Chart is the whole picture.
type Chart struct {
	Title  string
	Note   string  // below the title
	Until  float64 // end of the time axis, seconds
	Names  []string
	Panels []Panel
	Marks  []Mark
	Spans  []Span
}

// Panel is one figure of all programs.
type Panel struct {
	Title string // with the unit
	Lines []Line
}

// Line is one program's figure; the name is one of Chart.Names and decides the
// colour. A program that was restarted has several lines.
type Line struct {
	Name   string
	Points []Point
}

// Point is a place on a line.
type Point struct{ X, Y float64 }

// Mark is a moment at which something happened.
type Mark struct {
	At    float64
	Label string // in the legend, once
	Style Style
}

// Style tells marks apart.
type Style struct {
	Colour string
	Dashes string // as in stroke-dasharray; empty: solid
}

// Span is a time that is shaded, with a word above.
type Span struct {
	From, To float64
	Label    string
	Colour   string
}

// palette is told apart by the colour-blind too, as far as that goes with so many lines.
var palette = []string{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7f3c8d", "#555555", "#a5aa99", "#e73f74"}

// Measures of the picture, in its own units.
const (
	left, right   = 70.0, 190.0 // beside the panels: axis, legend
	top, bottom   = 64.0, 46.0
	width, height = 860.0, 190.0 // of a panel
	between       = 42.0
)

// SVG draws the chart.
func SVG(c Chart) string {
	var b strings.Builder
	total := top + float64(len(c.Panels))*(height+between) - between + bottom
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12" role="img">`+"\n",
		left+width+right, total)
	fmt.Fprintf(&b, "<title>%s</title>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", html.EscapeString(c.Title))
	text(&b, left, 24, "start", `font-size="16" font-weight="bold"`, c.Title)
	text(&b, left, 42, "start", `fill="#555"`, c.Note)
	for i, p := range c.Panels {
		c.panel(&b, p, top+float64(i)*(height+between), i == 0, i == len(c.Panels)-1)
	}
	c.legend(&b)
	b.WriteString("</svg>\n")
	return b.String()
}

func (c Chart) x(seconds float64) float64 { return left + width*seconds/max(c.Until, 1) }

func (c Chart) panel(b *strings.Builder, p Panel, y0 float64, first, last bool) {
	highest := 0.0
	for _, l := range p.Lines {
		for _, pt := range l.Points {
			highest = max(highest, pt.Y)
		}
	}
	step, digits := Step(highest, 4)
	limit := math.Ceil(max(highest, step)/step) * step
	y := func(v float64) float64 { return y0 + height*(1-v/limit) }
	for _, s := range c.Spans {
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.0f" fill="%s"/>`+"\n", c.x(s.From), y0, c.x(s.To)-c.x(s.From), height, s.Colour)
		if first {
			text(b, (c.x(s.From)+c.x(s.To))/2, y0-3, "middle", `font-size="10" fill="#777"`, s.Label)
		}
	}
	text(b, left, y0-6, "start", `font-weight="bold"`, p.Title)
	for n := 0; float64(n)*step <= limit*1.0001; n++ {
		v := float64(n) * step
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.0f" stroke="#ddd"/>`+"\n", left, y(v), width)
		text(b, left-6, y(v)+4, "end", "", strconv.FormatFloat(v, 'f', digits, 64))
	}
	for _, m := range c.Marks {
		fmt.Fprintf(b, `<path d="M%.1f %.1fv%.0f" stroke="%s"%s stroke-opacity="0.55"/>`+"\n", c.x(m.At), y0, height, m.Style.Colour, dashes(m.Style))
	}
	for _, l := range p.Lines {
		c.line(b, l, y)
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1fv%.0fh%.0f" fill="none" stroke="#333"/>`+"\n", left, y0, height, width)
	c.timeAxis(b, y0+height, last)
}

func (c Chart) line(b *strings.Builder, l Line, y func(float64) float64) {
	if len(l.Points) == 0 {
		return
	}
	b.WriteString(`<polyline fill="none" stroke-width="1.5" stroke-linejoin="round" stroke="` + c.colour(l.Name) + `" points="`)
	for i, p := range l.Points {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(b, "%.1f,%.1f", c.x(p.X), y(p.Y))
	}
	b.WriteString("\"/>\n")
}

func (c Chart) colour(name string) string {
	return palette[max(slices.Index(c.Names, name), 0)%len(palette)]
}

// timeAxis has minutes, or seconds if it is all over in three minutes.
func (c Chart) timeAxis(b *strings.Builder, y float64, last bool) {
	unit, name := 60.0, "minutes since the start"
	if c.Until <= 180 {
		unit, name = 1, "seconds since the start"
	}
	step, _ := Step(c.Until/unit, 12)
	for v := 0.0; v*unit <= c.Until; v += step {
		fmt.Fprintf(b, `<path d="M%.1f %.1fv4" stroke="#333"/>`+"\n", c.x(v*unit), y)
		text(b, c.x(v*unit), y+16, "middle", "", strconv.FormatFloat(v, 'f', -1, 64))
	}
	if last {
		text(b, left+width/2, y+34, "middle", "", name)
	}
}

// legend stands beside the first panel.
func (c Chart) legend(b *strings.Builder) {
	x, y := left+width+16, top+8
	for _, name := range c.Names {
		fmt.Fprintf(b, `<path d="M%.1f %.1fh22" stroke="%s" stroke-width="3"/>`+"\n", x, y-4, c.colour(name))
		text(b, x+28, y, "start", "", name)
		y += 18
	}
	var seen []string
	for _, m := range c.Marks {
		if m.Label == "" || slices.Contains(seen, m.Label) {
			continue
		}
		seen = append(seen, m.Label)
		fmt.Fprintf(b, `<path d="M%.1f %.1fv14" stroke="%s"%s/>`+"\n", x+11, y-11, m.Style.Colour, dashes(m.Style))
		text(b, x+28, y, "start", "", m.Label)
		y += 18
	}
}

func dashes(s Style) string {
	if s.Dashes == "" {
		return ""
	}
	return ` stroke-dasharray="` + s.Dashes + `"`
}

func text(b *strings.Builder, x, y float64, anchor, attributes, s string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s" %s>%s</text>`+"\n", x, y, anchor, attributes, html.EscapeString(s))
}

// Step is the distance of about so many ticks up to a value: one, two or five
// with noughts, and how many digits after the point it needs.
func Step(highest float64, ticks int) (step float64, digits int) {
	if !(highest > 0) {
		return 1, 0
	}
	exponent := math.Floor(math.Log10(highest / float64(ticks)))
	power := math.Pow(10, exponent)
	for _, m := range []float64{1, 2, 5, 10} {
		step = m * power
		if highest/step <= float64(ticks) {
			break
		}
	}
	if step < 1 {
		digits = int(math.Ceil(-math.Log10(step) - 1e-9))
	}
	return step, digits
}
