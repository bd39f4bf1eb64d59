package sites

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
)

// rows splits a text into rows of cells. A row that cannot be split ends at its line's end, so that an open quote costs one
// line and not the rest of the text.
type rows struct {
	text   []byte
	comma  rune
	number int // of the row's first line
	lines  int // that were taken so far
	cells  []string
	err    error
}

func newRows(text []byte) *rows { return &rows{text: text, comma: separator(text)} }

// maxRowLines is how many lines one row may have: a spreadsheet's cell with line breaks.
const maxRowLines = 64

func (r *rows) next() bool {
	if len(r.text) == 0 {
		return false
	}
	r.number = r.lines + 1
	end, lines := r.rowEnd()
	r.cells, r.err = split(r.text[:end], r.comma)
	if r.err != nil && lines > 1 {
		end, lines = lineEnd(r.text), 1
	}
	r.text, r.lines = r.text[end:], r.lines+lines
	return true
}

// rowEnd returns the length of the row that begins the text, and its lines: it goes on while a quote is open.
func (r *rows) rowEnd() (end, lines int) {
	first, quotes := lineEnd(r.text), 0
	for lines < maxRowLines && end < len(r.text) && end <= MaxLineBytes {
		n := lineEnd(r.text[end:])
		quotes += bytes.Count(r.text[end:end+n], []byte(`"`))
		end, lines = end+n, lines+1
		if quotes%2 == 0 {
			return end, lines
		}
	}
	return first, 1
}

// lineEnd returns the length of the first line, with its end.
func lineEnd(text []byte) int {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return i + 1
	}
	return len(text)
}

func split(row []byte, comma rune) ([]string, error) {
	if len(row) > MaxLineBytes {
		return nil, fmt.Errorf("the line has more than %d bytes", MaxLineBytes)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimRight(row, "\r\n")))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace = comma, -1, comma != '\t'
	cells, err := r.Read()
	switch {
	case err == nil:
		return cells, nil
	case len(bytes.TrimSpace(row)) == 0:
		return nil, nil
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		return nil, errors.New("the line has a quote that does not belong to a cell, or is not closed")
	}
	return nil, fmt.Errorf("the line cannot be read: %w", err)
}

// separator is what the first line's cells are separated by: spreadsheets write a semicolon where the comma is for decimals.
func separator(text []byte) rune {
	first := text[:lineEnd(text)]
	for _, s := range []rune{';', '\t'} {
		if strings.Count(string(first), string(s)) >= 2 || bytes.ContainsRune(first, s) && !bytes.ContainsRune(first, ',') {
			return s
		}
	}
	return ','
}
