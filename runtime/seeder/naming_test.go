package seeder

import (
	"slices"
	"testing"
	"time"
)

func TestOneTrackerNamesTheSwarm(t *testing.T) {
	var taken []string
	n := newNaming(func(id string) { taken = append(taken, id) }, 5*time.Second)
	now := time.Now()
	for _, a := range []struct {
		after time.Duration
		place int
		id    string
	}{
		{0, 1, "second's"},           // the first one has not answered yet
		{time.Second, 0, ""},         // it does not know the stream
		{2 * time.Second, 0, "its"},  // it decides from now on
		{3 * time.Second, 1, "x"},    // so this one does not
		{10 * time.Second, 1, "x"},   //
		{18 * time.Second, 1, "new"}, // the first is silent
		{20 * time.Second, 0, "its"}, // and is back
	} {
		n.answered(a.place, a.id, now.Add(a.after))
	}
	if want := []string{"second's", "its", "new", "its"}; !slices.Equal(taken, want) {
		t.Errorf("%q, want %q", taken, want)
	}
}
