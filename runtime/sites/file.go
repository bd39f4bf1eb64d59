package sites

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Errors of Parse: nothing of the text is used.
var (
	ErrTooLarge = fmt.Errorf("the map has more than %d bytes", MaxBytes)
	ErrEncoding = errors.New("the map is UTF-16; save it as CSV UTF-8")
)

// File is what a text with one site a line says.
type File struct {
	lines    []line
	problems problems
	// Read is the number of lines with a site, those that are ignored included.
	Read int
}

// line is one line of a file, or one entry of a list.
type line struct {
	number    int // 0: of a list
	name      string
	peering   Peering // empty: Full
	crossSite statement
	gateways  int // 0: the line does not say
	prefixes  []netip.Prefix
}

// statement is what a line says of something that can be left open.
type statement int8

const (
	unstated statement = iota
	stated
	denied
)

// Parse reads the text of a map: CSV with one line for each site or part of one. The columns are those of Microsoft eCDN's
// subnet mapping (group id, subnets, P2P, WAN, label, country), in this order, or named by a header line in any order; a
// header may also name peering, crossSite and gateways. Lines that cannot be used are problems, and all others are read.
// The error is ErrTooLarge or ErrEncoding.
func Parse(text []byte) (*File, error) {
	if len(text) > MaxBytes {
		return nil, ErrTooLarge
	}
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
		return nil, ErrEncoding
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	f := &File{}
	rows := newRows(text)
	columns := microsoft()
	prefixes, first := 0, true
	for rows.next() {
		number, cells, err := rows.number, rows.cells, rows.err
		if err == nil && blank(cells) {
			continue
		}
		if first && err == nil {
			first = false
			if named, unknown, ok := header(cells); ok {
				columns = named
				for _, name := range unknown {
					f.problems.warn(number, fmt.Sprintf("the column %q is not known and not read", shorten(name)))
				}
				continue
			}
		}
		first = false
		if f.Read++; f.Read > MaxLines {
			f.problems.ignore(number, fmt.Sprintf("the map has more than %d lines; this one and the rest are not read", MaxLines))
			break
		}
		if err != nil {
			f.problems.ignore(number, err.Error())
			continue
		}
		l, warnings, err := columns.read(cells)
		l.number = number
		if err == nil && prefixes+len(l.prefixes) > MaxPrefixes {
			err = fmt.Errorf("with this line the map would have more than %d ranges", MaxPrefixes)
		}
		if err != nil {
			f.problems.ignore(number, err.Error())
			continue
		}
		for _, w := range warnings {
			f.problems.warn(number, w)
		}
		prefixes += len(l.prefixes)
		f.lines = append(f.lines, l)
	}
	return f, nil
}

func blank(cells []string) bool {
	for i, c := range cells {
		if i == 0 && strings.HasPrefix(strings.TrimSpace(c), "#") {
			return true // a comment
		}
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// read returns what one line says.
func (c columns) read(cells []string) (l line, warnings []string, err error) {
	cell := func(i int) string {
		if i < 0 || i >= len(cells) {
			return ""
		}
		return strings.TrimSpace(cells[i])
	}
	l.name = cell(c.name)
	if err := checkName(l.name); err != nil {
		return l, nil, err
	}
	for _, text := range strings.FieldsFunc(cell(c.subnets), func(r rune) bool { return strings.ContainsRune(" ,;|\t\r\n\u00a0", r) }) {
		p, masked, err := parsePrefix(text)
		if err != nil {
			return l, nil, err
		}
		if masked {
			warnings = append(warnings, fmt.Sprintf("%s is read as %s", text, p))
		}
		l.prefixes = append(l.prefixes, p)
	}
	if len(l.prefixes) == 0 {
		return l, nil, errors.New("the line has no ranges of addresses")
	}
	if l.peering, err = readPeering(cell(c.peering)); err != nil {
		return l, nil, err
	}
	switch text := cell(c.crossSite); strings.ToLower(text) {
	case "":
	case "true", "yes", "on", "1":
		l.crossSite = stated
	case "false", "no", "off", "0":
		l.crossSite = denied
	default:
		return l, nil, fmt.Errorf("crossSite %q is not true or false", shorten(text))
	}
	if text := cell(c.gateways); text != "" {
		if l.gateways, err = strconv.Atoi(text); err != nil || l.gateways < 1 || l.gateways > MaxGateways {
			return l, nil, fmt.Errorf("gateways %q is not a number between 1 and %d", shorten(text), MaxGateways)
		}
	}
	return l, warnings, nil
}

func readPeering(text string) (Peering, error) {
	switch strings.ToLower(text) {
	case "", "on", "full":
		return Full, nil
	case "leech", "receiveonly":
		return ReceiveOnly, nil
	case "off", "disabled":
		return Off, nil
	}
	if _, _, err := parsePrefix(text); err == nil {
		return "", fmt.Errorf("%s stands where the peering should: separate several ranges by spaces, or put them in quotes", shorten(text))
	}
	return "", fmt.Errorf("peering %q is not Full, ReceiveOnly or Off (On, Leech or Off)", shorten(text))
}
