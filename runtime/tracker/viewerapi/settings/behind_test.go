package settings

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func TestBehind(t *testing.T) {
	read := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	live := Playlist{Live: true, TargetDuration: 4 * time.Second, Segments: 10, Edge: 100}
	seeder := func(age time.Duration, fresh bool, held ...telemetry.HeldRendition) telemetry.SeederReport {
		return telemetry.SeederReport{ID: "s", At: read.Add(-age), Fresh: fresh, State: telemetry.SeederState{Renditions: held}}
	}
	held := func(name string, edge, known int64) telemetry.HeldRendition {
		return telemetry.HeldRendition{Name: name, HeldEdge: edge, Segments: 5, KnownEdge: known}
	}
	nothing := telemetry.HeldRendition{Name: "720p", KnownEdge: 100}
	tests := map[string]struct {
		playlist Playlist
		seeder   telemetry.SeederReport
		want     []Lag
	}{
		"at the edge":                             {live, seeder(0, true, held("720p", 100, 100)), []Lag{}},
		"ahead of the tracker":                    {live, seeder(0, true, held("720p", 101, 101)), []Lag{}},
		"two segments are forgiven":               {live, seeder(0, true, held("720p", 98, 100)), []Lag{}},
		"three are not":                           {live, seeder(0, true, held("720p", 97, 100)), []Lag{{"s", "720p", 97, 100}}},
		"an older report":                         {live, seeder(5*time.Second, true, held("720p", 96, 98)), []Lag{}},
		"an older report of worse":                {live, seeder(5*time.Second, true, held("720p", 95, 98)), []Lag{{"s", "720p", 95, 100}}},
		"a rendition the tracker does not follow": {live, seeder(0, true, held("240p", 7, 20)), []Lag{{"s", "240p", 7, 20}}},
		"and whose numbers differ":                {live, seeder(0, true, held("240p", 19, 20)), []Lag{}},
		"one of which no edge is known":           {live, seeder(0, true, held("240p", 7, 0)), []Lag{}},
		"it holds nothing of a rendition":         {live, seeder(0, true, nothing), []Lag{{"s", "720p", -1, 100}}},
		"it holds nothing at all":                 {live, seeder(0, true), []Lag{{"s", "", -1, 100}}},
		"it is silent":                            {live, seeder(time.Minute, false, held("720p", 1, 1)), []Lag{}},
		"a film":                                  {Playlist{TargetDuration: 4 * time.Second, Segments: 10, Edge: 9}, seeder(0, true), []Lag{}},
		"nothing is known of the stream":          {Playlist{}, seeder(0, true), []Lag{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := Behind(HoldingInput{Playlist: tt.playlist, ReadAt: read, Seeders: []telemetry.SeederReport{tt.seeder}}, "720p")
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestEdges(t *testing.T) {
	in := HoldingInput{
		Playlist: Playlist{Live: true, TargetDuration: 4 * time.Second, Segments: 10, Edge: 100},
		Seeders: []telemetry.SeederReport{
			{ID: "a", Fresh: true, State: telemetry.SeederState{Renditions: []telemetry.HeldRendition{{Name: "720p", KnownEdge: 99}, {Name: "240p", KnownEdge: 7}}}},
			{ID: "b", Fresh: true, State: telemetry.SeederState{Renditions: []telemetry.HeldRendition{{Name: "240p", KnownEdge: 8}}}},
			{ID: "c", State: telemetry.SeederState{Renditions: []telemetry.HeldRendition{{Name: "240p", KnownEdge: 70}}}},
		},
	}
	if d := cmp.Diff(map[string]int64{"720p": 100, "240p": 8}, Edges(in, "720p")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]int64{"720p": 99, "240p": 8}, Edges(in, "")); d != "" {
		t.Errorf("without a playlist of its own: %s", d)
	}
}
