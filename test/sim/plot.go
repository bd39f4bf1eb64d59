package sim

import (
	"fmt"
	"math"
	"strings"
)

// Series is points of one kind in a plot.
type Series struct {
	Name, Color string
	X, Y        []float64
	Line        bool // the points are joined
}

// Plot is a chart with a linear y axis that begins at 0.
type Plot struct {
	Title, X, Y string
	LogX        bool
	MaxY        float64   // values above it are drawn at the edge
	Marks       []float64 // y values with a line across
	Series      []Series
}

// Sizes of a chart, in pixels.
const (
	plotWidth, plotHeight = 640, 320
	plotLeft, plotBottom  = 50, 45
	plotTop, plotRight    = 30, 10
)

// SVG draws the chart.
func (p Plot) SVG() string {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, s := range p.Series {
		for _, x := range s.X {
			lo, hi = min(lo, x), max(hi, x)
		}
	}
	px := func(x float64) float64 {
		f := (x - lo) / (hi - lo)
		if p.LogX {
			f = math.Log(x/lo) / math.Log(hi/lo)
		}
		return plotLeft + f*(plotWidth-plotLeft-plotRight)
	}
	py := func(y float64) float64 {
		return plotHeight - plotBottom - min(y, p.MaxY)/p.MaxY*(plotHeight-plotBottom-plotTop)
	}
	var b strings.Builder
	put := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	text := func(x, y float64, anchor, s string) {
		put(`<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, s)
	}
	put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">`, plotWidth, plotHeight)
	put(`<rect width="%d" height="%d" fill="white"/>`, plotWidth, plotHeight)
	text(plotLeft, 16, "start", p.Title)
	text((plotLeft+plotWidth)/2, plotHeight-8, "middle", p.X)
	put(`<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`, plotHeight/2, p.Y)
	for i := range 6 {
		y := p.MaxY * float64(i) / 5
		put(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ddd"/>`, plotLeft, plotWidth-plotRight, py(y), py(y))
		text(plotLeft-5, py(y)+4, "end", fmt.Sprintf("%.2g", y))
		x := lo + (hi-lo)*float64(i)/5
		if p.LogX {
			x = lo * math.Pow(hi/lo, float64(i)/5)
		}
		text(px(x), plotHeight-plotBottom+15, "middle", fmt.Sprintf("%.3g", x))
	}
	for _, y := range p.Marks {
		put(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#888" stroke-dasharray="4 3"/>`, plotLeft, plotWidth-plotRight, py(y), py(y))
	}
	for i, s := range p.Series {
		at := float64(plotWidth - plotRight - 150*(len(p.Series)-i))
		put(`<circle cx="%.1f" cy="12" r="4" fill="%s"/>`, at, s.Color)
		text(at+8, 16, "start", s.Name)
		if s.Line {
			var d strings.Builder
			for j := range s.X {
				_, _ = fmt.Fprintf(&d, "%.1f,%.1f ", px(s.X[j]), py(s.Y[j]))
			}
			put(`<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`, d.String(), s.Color)
			continue
		}
		for j := range s.X {
			put(`<circle cx="%.1f" cy="%.1f" r="2" fill="%s" fill-opacity="0.6"/>`, px(s.X[j]), py(s.Y[j]), s.Color)
		}
	}
	put(`</svg>`)
	return b.String()
}

// points are the copies of all sites by their viewers.
func (f Figures) points(name, color string) Series {
	s := Series{Name: name, Color: color}
	for _, site := range f.Sites {
		s.X, s.Y = append(s.X, float64(site.Viewers)), append(s.Y, site.Copies)
	}
	return s
}

// arrivals is how many of 100 live segments arrived by what time after their publication, in seconds.
func (f Figures) arrivals(name, color string) Series {
	s := Series{Name: name, Color: color, Line: true}
	for q := 1; q <= 99; q++ {
		s.X, s.Y = append(s.X, f.delays[len(f.delays)*q/100].Seconds()), append(s.Y, float64(q))
	}
	return s
}
