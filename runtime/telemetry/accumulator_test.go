package telemetry

import (
	"encoding/json"
	"fmt"
	"testing"
)

func TestAccumulator(t *testing.T) {
	type reading struct {
		boot string
		http int64
		want int64
	}
	tests := []struct {
		name     string
		readings []reading
	}{
		{"one boot", []reading{{"a", 10, 10}, {"a", 10, 10}, {"a", 25, 25}}},
		{"restart", []reading{{"a", 10, 10}, {"b", 0, 10}, {"b", 5, 15}}},
		{"answers overtake", []reading{{"a", 10, 10}, {"a", 8, 10}, {"a", 12, 12}}},
		{"two replicas in turn", []reading{{"a", 10, 10}, {"b", 5, 15}, {"a", 12, 17}, {"b", 6, 18}}},
		{"negative", []reading{{"a", -10, 0}, {"a", 10, 10}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a Accumulator
			for i, r := range tt.readings {
				if got := a.Observe(r.boot, int64(i+1), Counters{HTTP: r.http}); got.HTTP != r.want {
					t.Fatalf("reading %d: %d, want %d", i, got.HTTP, r.want)
				}
				// The consumer itself restarts after each reading.
				b, err := json.Marshal(a)
				if err != nil {
					t.Fatal(err)
				}
				a = Accumulator{}
				if err := json.Unmarshal(b, &a); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestAccumulatorIsBounded(t *testing.T) {
	var a Accumulator
	for i := range 100 {
		a.Observe(fmt.Sprint(i), 1, Counters{HTTP: 1})
	}
	if kept := a.Kept(); len(kept) != maxBoots || kept["99"] != 1 {
		t.Errorf("kept %v", kept)
	}
	if len(a.Boots) != maxBoots || a.Total.HTTP != 100 || a.Boots[maxBoots-1].Boot != "99" {
		t.Fatalf("%+v", a)
	}
}
