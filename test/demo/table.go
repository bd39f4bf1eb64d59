package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"
)

// row is what `kubectl get p2pstreams -A` shows of a stream, and its seeders.
type row struct {
	want            int // viewers
	namespace, name string
	ready           string
	viewers         *int32
	offload         *int32
	seeders         *int32
	age             time.Duration
}

// officeRow is one office: its viewers and the traffic of its uplink.
type officeRow struct {
	name          string
	playing, want int
	wan           *traffic     // nil: unknown
	site          *siteFigures // nil: unknown
}

// traffic is the bytes since the first reading and the current bits per second; down is into the office.
type traffic struct {
	down, up         uint64
	downRate, upRate float64
}

// picture is the content of the table.
type picture struct {
	streams  []row
	offices  []officeRow
	notes    []string // problems
	entrance string   // of the network
	pages    []string
	hint     string // command that shows more
	stop     string
}

// facts are what to know beside the figures, as pairs of a term and a text.
func (p picture) facts() [][2]string {
	all := [][2]string{{"entrance", p.entrance}}
	term := "page to watch"
	if len(p.pages) > 1 {
		term = "pages to watch"
	}
	for _, page := range p.pages {
		all = append(all, [2]string{term, page})
		term = ""
	}
	return append(all, [2]string{"more details", p.hint}, [2]string{"stop", p.stop})
}

// number prints a count, or nothing if it is unknown, as kubectl does.
func number(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

func percent(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n)) + "%"
}

var streamHeads = []string{"NAMESPACE", "NAME", "READY", "VIEWERS", "OFFLOAD", "SEEDERS", "AGE"}

func streamColumns(r row) []string {
	return []string{r.namespace, r.name, r.ready, number(r.viewers), percent(r.offload), number(r.seeders), duration.HumanDuration(r.age)}
}

// table formats the picture for a terminal.
func table(p picture) []string {
	streams := [][]string{streamHeads}
	for _, r := range p.streams {
		streams = append(streams, streamColumns(r))
	}
	lines := align(streams)
	offices := [][]string{{"OFFICE", "PLAYING", "VIEWERS", "COPIES", "MEDIA IN", "WAN DOWN", "", "WAN UP", ""}}
	for _, o := range p.offices {
		offices = append(offices, officeColumns(o))
	}
	lines = append(lines, "")
	lines = append(lines, align(offices)...)
	lines = append(lines, "")
	for _, o := range p.offices {
		if o.site != nil {
			lines = append(lines, o.name+": "+o.site.words())
		}
	}
	for _, n := range p.notes {
		lines = append(lines, "! "+n)
	}
	for _, f := range p.facts() {
		if f[1] != "" {
			lines = append(lines, pad(f[0], 16)+f[1])
		}
	}
	return lines
}

func officeColumns(o officeRow) []string {
	playing := fmt.Sprintf("%d/%d", o.playing, o.want)
	cells := []string{o.name, playing, "-", "-", "-"}
	if o.site != nil {
		cells = []string{o.name, playing, fmt.Sprint(o.site.viewers), orDash(o.site.copies), rate(o.site.line)}
	}
	if o.wan == nil {
		return append(cells, "-", "", "-", "")
	}
	return append(cells, size(o.wan.down), rate(o.wan.downRate), size(o.wan.up), rate(o.wan.upRate))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// lineWidths are the column widths of line; very long names exceed them.
var lineWidths = []int{16, 14, 7, 8, 8, 8, 8, 58, 58, 44, 44}

// line formats the picture for a file or a pipe: one line for each stream, the first of them with the offices, and a heading above
// them if asked for.
func line(p picture, heading bool) []string {
	head, values := slices.Clone(streamHeads), streamColumns(p.streams[0])
	for _, o := range p.offices {
		head = append(head, strings.ToUpper(o.name)+" WAN")
		text := "-"
		if o.wan != nil {
			text = fmt.Sprintf("down %s (%s) up %s (%s)", size(o.wan.down), rate(o.wan.downRate), size(o.wan.up), rate(o.wan.upRate))
		}
		values = append(values, text)
	}
	for _, o := range p.offices {
		head = append(head, strings.ToUpper(o.name)+" COPIES")
		text := "-"
		if o.site != nil {
			text = fmt.Sprintf("%s, %d viewers, media in %s", orDash(o.site.copies), o.site.viewers, rate(o.site.line))
		}
		values = append(values, text)
	}
	var lines []string
	if heading {
		lines = append(lines, fixed(head))
	}
	lines = append(lines, fixed(values))
	for _, r := range p.streams[1:] {
		lines = append(lines, fixed(streamColumns(r)))
	}
	for _, n := range p.notes {
		lines = append(lines, "! "+n)
	}
	return lines
}

func fixed(cells []string) string {
	var b strings.Builder
	for i, c := range cells {
		width := lineWidths[min(i, len(lineWidths)-1)]
		b.WriteString(pad(c, width-1) + " ")
	}
	return strings.TrimRight(b.String(), " ")
}

// align makes columns as wide as their widest cell, three spaces apart.
func align(rows [][]string) []string {
	var widths []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	lines := make([]string, 0, len(rows))
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r {
			b.WriteString(pad(c, widths[i]+3))
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// size prints bytes with a unit.
func size(n uint64) string { return scaled(float64(n), "B") }

// rate prints bits per second.
func rate(bits float64) string { return scaled(bits, "bit/s") }

func scaled(n float64, unit string) string {
	for _, u := range []struct {
		prefix string
		factor float64
	}{{"G", 1e9}, {"M", 1e6}, {"k", 1e3}} {
		if n >= u.factor {
			return fmt.Sprintf("%.1f %s%s", n/u.factor, u.prefix, unit)
		}
	}
	return fmt.Sprintf("%.0f %s", n, unit)
}
