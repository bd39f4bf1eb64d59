package main

import (
	"math"
	"testing"

	"github.com/p2pstream/p2pstream/test/soak/samples"
)

func TestCostOf(t *testing.T) {
	rows := func(values ...[3]float64) (out []samples.Row) {
		for i, v := range values {
			r := samples.NewRow(float64(i), crowdName, 1)
			r.Values[samples.Peers], r.Values[samples.Offers], r.Values[samples.Goroutines] = v[0], v[1], v[2]
			out = append(out, r)
		}
		return out
	}
	for name, tt := range map[string]struct {
		rows []samples.Row
		want cost
	}{
		"nothing":                    {nil, cost{}},
		"nothing changes":            {rows([3]float64{3, 1, 100}, [3]float64{3, 1, 100}), cost{}},
		"connections only":           {rows([3]float64{3, 0, 93}, [3]float64{5, 0, 135}, [3]float64{4, 0, 114}), cost{21, 7}},
		"both, one at a time":        {rows([3]float64{3, 0, 100}, [3]float64{4, 0, 120}, [3]float64{4, 2, 130}, [3]float64{4, 1, 125}, [3]float64{4, 5, 145}), cost{20, 5}},
		"both at once tells nothing": {rows([3]float64{3, 0, 100}, [3]float64{4, 0, 120}, [3]float64{5, 1, 500}), cost{20, 20. / 3}},
		"a leak by and by":           {rows([3]float64{3, 0, 100}, [3]float64{4, 0, 120}, [3]float64{5, 0, 140}, [3]float64{4, 0, 121}, [3]float64{5, 0, 141}), cost{20, 20. / 3}},
		"it grows as connections go": {rows([3]float64{5, 0, 100}, [3]float64{4, 0, 120}), cost{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := costOf(tt.rows, isViewer, samples.Goroutines)
			if math.Abs(got.peer-tt.want.peer) > 1e-9 || math.Abs(got.offer-tt.want.offer) > 1e-9 {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestRest(t *testing.T) {
	r := samples.NewRow(0, crowdName, 1)
	r.Values[samples.Peers], r.Values[samples.Offers], r.Values[samples.Goroutines] = 2, 3, 100
	cs := costs{viewer: map[samples.Column]cost{samples.Goroutines: {21, 7}}, seeder: map[samples.Column]cost{}}
	if v, ok := cs.rest(r, samples.Goroutines); v != 37 || !ok {
		t.Errorf("%v %v", v, ok)
	}
	if _, ok := cs.rest(r, samples.RSS); ok {
		t.Error("memory has to do with connections")
	}
	r.Program = trackerName
	if _, ok := cs.rest(r, samples.Goroutines); ok {
		t.Error("a tracker has connections over WebRTC")
	}
}
