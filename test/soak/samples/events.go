package samples

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// What happens in a soak.
const (
	Churn   = "churn"   // the coming and going begins
	Quiet   = "quiet"   // it has ended, all who came have gone
	End     = "end"     // of the last sample
	Join    = "join"    // a viewer comes
	Leave   = "leave"   // a viewer was told to go, by SIGTERM
	Vanish  = "vanish"  // a viewer was killed
	Report  = "report"  // what a viewer that left says it measured
	Switch  = "switch"  // a player changes rendition
	Term    = "term"    // a program that comes back got SIGTERM
	Kill    = "kill"    // a program that comes back got SIGKILL
	Back    = "back"    // it runs again
	Totals  = "totals"  // what the tracker counted since it started
	Trouble = "trouble" // a player's request failed
	Missed  = "missed"  // a program did not answer the sampler in time
	Failure = "failure" // what must not be
)

// Event is one thing that happened.
type Event struct {
	At      float64 // seconds since the soak began
	Program string
	What    string
	Detail  string
}

// EventWriter writes events; each is in the file when Write returns.
type EventWriter struct{ csv *csv.Writer }

// NewEventWriter writes the heading.
func NewEventWriter(w io.Writer) (*EventWriter, error) {
	out := &EventWriter{csv: csv.NewWriter(w)}
	return out, out.flush([]string{"seconds", "program", "what", "detail"})
}

// Write appends an event.
func (w *EventWriter) Write(e Event) error {
	return w.flush([]string{strconv.FormatFloat(e.At, 'f', 1, 64), e.Program, e.What, e.Detail})
}

func (w *EventWriter) flush(record []string) error {
	if err := w.csv.WriteAll([][]string{record}); err != nil {
		return fmt.Errorf("writing events: %w", err)
	}
	return nil
}

// ReadEvents reads what an EventWriter wrote.
func ReadEvents(r io.Reader) ([]Event, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	records, err := in.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	var events []Event
	for i, record := range records {
		if i == 0 || len(record) < 4 {
			continue
		}
		at, err := strconv.ParseFloat(record[0], 64)
		if err != nil {
			return nil, fmt.Errorf("reading events: line %d: seconds: %w", i+1, err)
		}
		events = append(events, Event{At: at, Program: record[1], What: record[2], Detail: record[3]})
	}
	return events, nil
}

// At is when something happened for the first time; ok is false if it did not.
func At(events []Event, what string) (seconds float64, ok bool) {
	for _, e := range events {
		if e.What == what {
			return e.At, true
		}
	}
	return 0, false
}
