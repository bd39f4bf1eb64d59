package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func example() Chart {
	return Chart{
		Title: "memory & <more>", Note: "a note", Until: 7200, Names: []string{"tracker", "seeder"},
		Panels: []Panel{
			{Title: "Memory, MiB", Lines: []Line{
				{Name: "tracker", Points: []Point{{0, 10}, {3600, 83}, {7200, 40}}}, {Name: "seeder", Points: []Point{{10, 1}}},
				{Name: "seeder"},
			}},
			{Title: "Nothing"},
		},
		Marks: []Mark{
			{At: 60, Label: "restart", Style: Style{Colour: "red", Dashes: "2 2"}}, {At: 90, Label: "restart", Style: Style{Colour: "red"}},
		},
		Spans: []Span{{From: 1800, To: 3600, Label: "warm", Colour: "#eee"}},
	}
}

// TestSVG reads what was drawn as a browser would.
func TestSVG(t *testing.T) {
	svg := SVG(example())
	var texts []string
	lines := 0
	d := xml.NewDecoder(strings.NewReader(svg))
	inText := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
			if token.Name.Local == "polyline" {
				lines++
			}
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		case xml.EndElement:
			inText = false
		}
	}
	if lines != 2 {
		t.Errorf("%d lines, want 2: one without points is none", lines)
	}
	all := "\n" + strings.Join(texts, "\n") + "\n"
	for text, n := range map[string]int{
		"memory & <more>": 1, "a note": 1, "Memory, MiB": 1, "Nothing": 1, "tracker": 1, "seeder": 1, "restart": 1, "warm": 1,
		"minutes since the start": 1, "120": 2, "100": 3, "80": 2,
	} {
		if got := strings.Count(all, "\n"+text+"\n"); got != n {
			t.Errorf("%q stands there %d times, want %d:\n%s", text, got, n, all)
		}
	}
	// 83 of an axis up to 100, in the middle of the time.
	if want := "500.0,96.3"; !strings.Contains(svg, want) {
		t.Errorf("no point at %s", want)
	}
}

func TestStep(t *testing.T) {
	for _, tt := range []struct {
		highest float64
		ticks   int
		step    float64
		digits  int
	}{{83, 4, 50, 0}, {80, 4, 20, 0}, {100, 4, 50, 0}, {120, 12, 10, 0}, {0.9, 4, 0.5, 1}, {0.03, 4, 0.01, 2}, {0, 4, 1, 0}, {1, 4, 0.5, 1}, {1e6, 4, 5e5, 0}} {
		if step, digits := Step(tt.highest, tt.ticks); step-tt.step > 1e-12 || tt.step-step > 1e-12 || digits != tt.digits {
			t.Errorf("%v in %d: %v with %d digits, want %v with %d", tt.highest, tt.ticks, step, digits, tt.step, tt.digits)
		}
	}
}
