package samples

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
)

// Column is one figure of a row.
type Column int

// The figures. Those that a program does not have are NaN, and empty in the file.
const (
	RSS         Column = iota // resident memory, bytes
	Heap                      // Go heap in use, bytes
	Goroutines                // of the Go runtime
	Descriptors               // open files and sockets
	CPU                       // seconds of processor time since the program started
	Sockets                   // WebSockets: a tracker's, or of a peer to its trackers
	Swarms                    // with members
	Peers                     // memberships on a tracker; open WebRTC connections of a peer
	Sessions                  // of reporting peers that a tracker remembers
	Offers                    // of a peer, that are not answered yet
	Store                     // bytes of segments held
	Stalls                    // of viewers, since the program started
	HTTP                      // media bytes from the origin, since the program started
	Seeder                    // media bytes from seeders
	Viewer                    // media bytes from other viewers
	Segments                  // that a player has been given
	Errors                    // that a player met
	Columns                   // how many there are
)

var names = [Columns]string{"rss_bytes", "heap_bytes", "goroutines", "descriptors", "cpu_seconds", "sockets", "swarms", "peers",
	"sessions", "offers", "store_bytes", "stalls", "http_bytes", "seeder_bytes", "viewer_bytes", "segments", "errors"}

// String is the column's name in the file.
func (c Column) String() string { return names[c] }

// Row is what one program was like at one moment.
type Row struct {
	At      float64 // seconds since the soak began
	Program string
	Life    int // 1 for the program's first process, one more with each restart
	Values  [Columns]float64
}

// NewRow has no figures yet.
func NewRow(at float64, program string, life int) Row {
	r := Row{At: at, Program: program, Life: life}
	for c := range r.Values {
		r.Values[c] = math.NaN()
	}
	return r
}

// Writer writes rows; all are in the file when Write returns.
type Writer struct{ csv *csv.Writer }

// NewWriter writes the heading.
func NewWriter(w io.Writer) (*Writer, error) {
	out := &Writer{csv: csv.NewWriter(w)}
	return out, out.flush(append([]string{"seconds", "program", "life"}, names[:]...))
}

// Write appends rows.
func (w *Writer) Write(rows ...Row) error {
	records := make([][]string, 0, len(rows))
	for _, r := range rows {
		record := []string{strconv.FormatFloat(r.At, 'f', 1, 64), r.Program, strconv.Itoa(r.Life)}
		for _, v := range r.Values {
			text := ""
			if !math.IsNaN(v) {
				text = strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
			}
			record = append(record, text)
		}
		records = append(records, record)
	}
	return w.flush(records...)
}

func (w *Writer) flush(records ...[]string) error {
	if err := w.csv.WriteAll(records); err != nil {
		return fmt.Errorf("writing samples: %w", err)
	}
	return nil
}

// Read reads what a Writer wrote. A last line that is cut short, as of a soak
// that still runs, is left out.
func Read(r io.Reader) ([]Row, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("reading heading of samples: %w", err)
	}
	if want := append([]string{"seconds", "program", "life"}, names[:]...); !slices.Equal(head, want) {
		return nil, fmt.Errorf("reading samples: the heading is %q, want %q", head, want)
	}
	var rows []Row
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading samples: %w", err)
		}
		if len(record) < len(head) {
			continue
		}
		row, err := parse(record)
		if err != nil {
			line, _ := in.FieldPos(0)
			return nil, fmt.Errorf("reading samples: line %d: %w", line, err)
		}
		rows = append(rows, row)
	}
}

func parse(record []string) (Row, error) {
	at, err := strconv.ParseFloat(record[0], 64)
	if err != nil {
		return Row{}, fmt.Errorf("seconds: %w", err)
	}
	life, err := strconv.Atoi(record[2])
	if err != nil {
		return Row{}, fmt.Errorf("life: %w", err)
	}
	row := NewRow(at, record[1], life)
	for c := range row.Values {
		text := record[3+c]
		if text == "" {
			continue
		}
		if row.Values[c], err = strconv.ParseFloat(text, 64); err != nil {
			return Row{}, fmt.Errorf("%s: %w", Column(c), err)
		}
	}
	return row, nil
}
