package history

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// MarshalJSON writes numbers, and null for those that are not known. Small ones have three digits after the point.
func (v Values) MarshalJSON() ([]byte, error) {
	out := make([]byte, 0, 2+6*len(v))
	out = append(out, '[')
	for i, x := range v {
		if i > 0 {
			out = append(out, ',')
		}
		if math.IsNaN(x) {
			out = append(out, "null"...)
			continue
		}
		out = strconv.AppendFloat(out, rounded(x), 'f', -1, 64)
	}
	return append(out, ']'), nil
}

func rounded(x float64) float64 {
	if math.Abs(x) >= 1000 {
		return math.Round(x)
	}
	return math.Round(x*1000) / 1000
}

// WriteCSV writes a row for each point, with a header. Columns of sites and renditions have their name after a colon. What is not
// known is empty.
func (s Series) WriteCSV(w io.Writer) error {
	columns := []struct {
		name   string
		values Values
	}{
		{"covered_seconds", s.Covered}, {"viewers_mean", s.Viewers}, {"viewers_most", s.ViewersMost}, {"seeders_mean", s.Seeders},
		{"origin_bytes", s.HTTP}, {"seeder_bytes", s.Seeder}, {"viewer_bytes", s.Viewer}, {"uploaded_bytes", s.Uploaded},
		{"seeder_origin_bytes", s.SeederHTTP}, {"stalls", s.Stalls}, {"stall_ms", s.StallMs},
		{"startup_p50_ms", s.StartupP50Ms}, {"startup_p95_ms", s.StartupP95Ms}, {"stall_p95_ms", s.StallP95Ms},
	}
	add := func(name string, values Values) {
		columns = append(columns, struct {
			name   string
			values Values
		}{name, values})
	}
	for _, p := range s.Sites {
		add("line_bytes:"+oneLine(p.Name), p.Line)
		add("one_copy_bytes:"+oneLine(p.Name), p.OneCopy)
	}
	for _, p := range s.Renditions {
		add("rendition_viewers:"+oneLine(p.Name), p.Watching)
	}
	out := csv.NewWriter(w)
	row := make([]string, 1+len(columns))
	row[0] = "time"
	for i, c := range columns {
		row[i+1] = c.name
	}
	if err := out.Write(row); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	for i, t := range s.Time {
		row[0] = time.Unix(t, 0).UTC().Format(time.RFC3339)
		for j, c := range columns {
			row[j+1] = ""
			if x := c.values[i]; !math.IsNaN(x) {
				row[j+1] = strconv.FormatFloat(rounded(x), 'f', -1, 64)
			}
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// oneLine replaces what would end a line in a spreadsheet that reads carelessly.
func oneLine(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, name)
}
