package main

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func ptr(n int32) *int32 { return &n }

func pictures() map[string]picture {
	page := func(of string) string { return "http://10.200.1.2:31000/" + of + "/player" }
	offices := []officeRow{
		{name: "office-a", playing: 3, want: 3, wan: &traffic{down: 12_300_000, up: 950, downRate: 1_250_000, upRate: 64},
			site: &siteFigures{viewers: 3, copies: "1.04", line: 1_190_000}},
		{name: "office-b", playing: 2, want: 3, wan: &traffic{down: 2_345_678_901, up: 1_000, downRate: 0, upRate: 2_000},
			site: &siteFigures{viewers: 2, line: 0}},
	}
	return map[string]picture{
		"well": {
			streams: []row{
				{namespace: "media", name: "town-hall", ready: "True", viewers: ptr(4), offload: ptr(97), seeders: ptr(2), age: 75 * time.Second, want: 4},
				{namespace: "learning", name: "training", ready: "True", viewers: ptr(2), offload: ptr(98), seeders: ptr(1), age: 75 * time.Second, want: 2},
			},
			entrance: "http://10.200.1.2:31000, of network corp for both streams",
			offices:  offices, pages: []string{page("media/town-hall"), page("learning/training")}, hint: "kubectl get p2pstreams -A", stop: "Ctrl-C",
		},
		"unknown": {
			streams: []row{{namespace: "media", name: "town-hall", ready: "Unknown"}},
			offices: []officeRow{
				{name: "office-a", playing: 3, want: 3},
				{name: "office-b", want: 3},
			},
			notes: []string{"Ready is Unknown: Pending: Waiting for the operator"}, stop: "Ctrl-C",
		},
		"long-names": {
			streams: []row{{namespace: "p2pstream-demo-for-everyone", name: "all-hands-meeting-of-the-year", ready: "False", viewers: ptr(0), age: 3 * time.Hour}},
			offices: offices, pages: []string{"http://10.200.1.2:31000/player"},
		},
	}
}

func TestGoldenTables(t *testing.T) {
	t.Parallel()
	for name, p := range pictures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "table-"+name+".txt", strings.Join(table(p), "\n")+"\n")
			golden(t, "line-"+name+".txt", strings.Join(line(p, true), "\n")+"\n")
		})
	}
}

func TestLineWithoutHeading(t *testing.T) {
	t.Parallel()
	p := pictures()["well"]
	if with, without := line(p, true), line(p, false); len(with) != 3 || len(without) != 2 || with[1] != without[0] {
		t.Errorf("line gives %q with a heading and %q without", with, without)
	}
}

func TestScaled(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{0: "0 B", 999: "999 B", 1_000: "1.0 kB", 999_949: "999.9 kB", 1_500_000: "1.5 MB", 2_000_000_000: "2.0 GB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
	if got := rate(1_250_000); got != "1.2 Mbit/s" {
		t.Errorf("rate = %q", got)
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		row  row
		want string
	}{
		"well":            {row{ready: "True", viewers: ptr(6), offload: ptr(91)}, ""},
		"at the limit":    {row{ready: "True", viewers: ptr(6), offload: ptr(90)}, "OFFLOAD is 90%, not above 90%, of training"},
		"one is missing":  {row{ready: "True", viewers: ptr(5), offload: ptr(99)}, "VIEWERS is 5, not 6, of training"},
		"one too many":    {row{ready: "True", viewers: ptr(7), offload: ptr(99)}, "VIEWERS is 7, not 6, of training"},
		"nothing is seen": {row{}, "READY is empty, not True, of training; VIEWERS is empty, not 6, of training; OFFLOAD is empty, not above 90%, of training"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := row{name: "town-hall", ready: "True", viewers: ptr(1), offload: ptr(99), want: 1}
			tt.row.name, tt.row.want = "training", 6
			if got := strings.Join(verdict(picture{streams: []row{good, tt.row}}), "; "); got != tt.want {
				t.Errorf("verdict = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVerdictCountsWhoPlays(t *testing.T) {
	t.Parallel()
	// The status still counts a viewer for a while that is gone.
	p := pictures()["well"]
	if got := strings.Join(verdict(p), "; "); got != "2 of 3 viewers play in office-b" {
		t.Errorf("verdict = %q", got)
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	var m meter
	if m.traffic() != nil {
		t.Error("traffic before the first reading")
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m.add(at, counters{down: 1_000, up: 500})
	if got := *m.traffic(); got != (traffic{}) {
		t.Errorf("after the first reading: %+v", got)
	}
	// One kilobyte a second for half a minute, then nothing: the rate follows within its window.
	for s := range 30 {
		m.add(at.Add(time.Duration(s+1)*time.Second), counters{down: 1_000 + uint64(s+1)*1_000, up: 500})
	}
	if got := *m.traffic(); got.down != 30_000 || got.up != 0 || got.downRate != 8_000 {
		t.Errorf("while it flows: %+v", got)
	}
	for s := range 15 {
		m.add(at.Add(time.Duration(31+s)*time.Second), counters{down: 31_000, up: 500})
	}
	if got := *m.traffic(); got.down != 30_000 || got.downRate != 0 {
		t.Errorf("after it stopped: %+v", got)
	}
	if n := len(m.samples); n > 12 {
		t.Errorf("%d samples are kept", n)
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		viewers, streams int
		want             [][]int
	}{
		{2, 1, [][]int{{1}, {1}}}, {6, 1, [][]int{{3}, {3}}}, {7, 1, [][]int{{4}, {3}}},
		{4, 2, [][]int{{1, 1}, {1, 1}}}, {8, 2, [][]int{{2, 2}, {2, 2}}}, {9, 2, [][]int{{3, 2}, {2, 2}}}, {10, 2, [][]int{{3, 3}, {2, 2}}},
	} {
		if got := share(tt.viewers, tt.streams); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("share(%d, %d) = %v, want %v", tt.viewers, tt.streams, got, tt.want)
		}
	}
}
