package samples

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
)

// same compares rows, in which what is missing is equal to what is missing.
func same(a, b []Row) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].At != b[i].At || a[i].Program != b[i].Program || a[i].Life != b[i].Life {
			return false
		}
		for c := range a[i].Values {
			x, y := a[i].Values[c], b[i].Values[c]
			if x != y && !(math.IsNaN(x) && math.IsNaN(y)) {
				return false
			}
		}
	}
	return true
}

func written(t *testing.T, rows ...Row) string {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rows...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRowsComeBack(t *testing.T) {
	full := NewRow(12.5, "tracker", 2)
	for c := range full.Values {
		full.Values[c] = float64(c) * 1000.25
	}
	rows := []Row{full, NewRow(13, "comer-1", 1)}
	text := written(t, rows...)
	got, err := Read(strings.NewReader(text))
	if err != nil || !same(got, rows) {
		t.Errorf("%v %v, want %v", got, err, rows)
	}
	// A soak that still runs may have written half a line.
	if got, err = Read(strings.NewReader(text[:len(text)-12])); err != nil || !same(got, rows[:1]) {
		t.Errorf("cut short: %v %v", got, err)
	}
	var lines bytes.Buffer
	if w, err := NewWriter(&lines); err != nil || w.Write(rows[0]) != nil || lines.Len() == 0 {
		t.Error("nothing is there before the end")
	}
}

func TestReadNamesWhatIsWrong(t *testing.T) {
	good := written(t, NewRow(1, "a", 1))
	for want, text := range map[string]string{
		"heading": "", "the heading is": "a,b\n", "line 2: seconds": strings.Replace(good, "\n1.0,", "\nx,", 1),
		"line 2: life": strings.Replace(good, ",a,1", ",a,one", 1), "rss_bytes": strings.Replace(good, ",a,1,", ",a,1,x", 1),
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q named", text, err, want)
		}
	}
}

func TestEventsComeBack(t *testing.T) {
	events := []Event{{1, "", Churn, ""}, {2.5, "seeder-b", Kill, "with, a comma"}, {3, "comer-1", Leave, ""}, {4, "comer-1", Leave, ""}}
	var b bytes.Buffer
	w, err := NewEventWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadEvents(&b)
	if err != nil || !reflect.DeepEqual(got, events) {
		t.Errorf("%v %v", got, err)
	}
	if at, ok := At(got, Leave); at != 3 || !ok {
		t.Errorf("first %v %v", at, ok)
	}
	if _, ok := At(got, Quiet); ok {
		t.Error("found what did not happen")
	}
}
