package dash

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/loader/identity"
)

// template is a URL template in pieces.
type template []piece

// piece is plain text, or an identifier if name is set. text is the identifier as written.
type piece struct {
	text, name, format string
	width              int
}

var identifierPattern = regexp.MustCompile(`\$(RepresentationID|Number|SubNumber|Bandwidth|Time)?(?:%0([0-9]+)([diouxX]))?\$`)

// newTemplate takes a template apart. Source: ISO/IEC 23009-1 §5.3.9.4.4; shaka-player 4.16.9, MpdUtils.fillUriTemplate.
func newTemplate(text string) (template, error) {
	if len(text) > maxURLBytes {
		return nil, fail(ReasonTooLarge, "a template of more than %d bytes", maxURLBytes)
	}
	var t template
	at := 0
	for _, m := range identifierPattern.FindAllStringSubmatchIndex(text, -1) {
		if m[0] > at {
			t = append(t, piece{text: text[at:m[0]]})
		}
		at = m[1]
		if m[1]-m[0] == 2 {
			t = append(t, piece{text: "$"})
			continue
		}
		p := piece{text: text[m[0]:m[1]]}
		if m[2] >= 0 {
			p.name = text[m[2]:m[3]]
		}
		if m[4] >= 0 {
			width, err := strconv.Atoi(text[m[4]:m[5]])
			if err != nil || width > maxWidth {
				return nil, fail(ReasonTooLarge, "an identifier of a template wider than %d digits", maxWidth)
			}
			p.width, p.format = width, text[m[6]:m[7]]
		}
		t = append(t, p)
	}
	if at < len(text) {
		t = append(t, piece{text: text[at:]})
	}
	return t, nil
}

// has tells whether the template has an identifier.
func (t template) has(name string) bool {
	for _, p := range t {
		if p.name == name {
			return true
		}
	}
	return false
}

// values are what identifiers stand for. What is absent stays as it is written.
type values struct {
	id           string
	bandwidth    float64 // absent if 0
	number, time float64
	exactTime    *big.Int // in the place of time if it is not nil
	numbered     bool     // number and time are there
}

func (t template) fill(v values) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.fill(v))
	}
	return b.String()
}

func (p piece) fill(v values) string {
	var text string
	switch {
	case p.name == "RepresentationID" && v.id != "":
		// A width is not meant for it.
		if p.format == "X" {
			return strings.ToUpper(v.id)
		}
		return v.id
	case p.name == "Bandwidth" && v.bandwidth != 0:
		text = formatted(v.bandwidth, p.format)
	case p.name == "Number" && v.numbered:
		text = formatted(v.number, p.format)
	case p.name == "Time" && v.numbered && v.exactTime != nil:
		text = inRadix(v.exactTime, p.format)
	case p.name == "Time" && v.numbered:
		text = formatted(math.Floor(v.time+0.5), p.format)
	default:
		return p.text
	}
	if missing := p.width - len(text); missing > 0 {
		text = strings.Repeat("0", missing) + text
	}
	return text
}

func formatted(n float64, format string) string {
	if format == "" || strings.Contains("diu", format) || math.IsInf(n, 0) || math.IsNaN(n) {
		return identity.FormatNumber(n)
	}
	exact, _ := big.NewFloat(n).Int(nil)
	return inRadix(exact, format)
}

func inRadix(n *big.Int, format string) string {
	switch format {
	case "o":
		return n.Text(8)
	case "x":
		return n.Text(16)
	case "X":
		return strings.ToUpper(n.Text(16))
	}
	return n.Text(10)
}
