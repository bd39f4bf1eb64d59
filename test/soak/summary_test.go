package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// recorded is a soak of two hours as it is written down, with what change does to the rows of the kept programs.
func recorded(change func(r *samples.Row, at float64)) (machineInfo, []samples.Row, []samples.Event) {
	p, _ := planFor(2 * time.Hour)
	m := machineInfo{Plan: p}
	from, to := 70.0, 70+p.Total.Seconds()
	events := []samples.Event{
		{At: from, What: samples.Churn}, {At: 80, Program: "comer-1", What: samples.Join}, {At: 90, Program: "comer-1", What: samples.Vanish},
		{At: 600, Program: otherSeeder, What: samples.Kill}, {At: 300, Program: trackerName, What: samples.Term},
		{At: to, What: samples.Quiet}, {At: to + 60, What: samples.End},
	}
	var rows []samples.Row
	for at := 10.0; at < to+60; at += p.Every.Seconds() {
		for _, name := range []string{trackerName, keptSeeder, otherSeeder, crowdName, playerName + "1"} {
			life := 1
			if name == trackerName && at > 300 || name == otherSeeder && at > 600 {
				life = 2
			}
			r := samples.NewRow(at, name, life)
			busy := 0.0
			if at > from && at < to {
				busy = 1
			}
			r.Values[samples.RSS] = 60e6 + 4e6*math.Sin(at)
			r.Values[samples.Goroutines] = 50 + 100*busy
			r.Values[samples.Descriptors] = 20 + 40*busy
			r.Values[samples.CPU] = at / 100
			if isPeer(name) {
				r.Values[samples.Peers], r.Values[samples.Offers] = 5, 0
			}
			if isViewer(name) {
				r.Values[samples.HTTP], r.Values[samples.Viewer] = at, 9*at
			}
			if change != nil {
				change(&r, at)
			}
			rows = append(rows, r)
		}
	}
	return m, rows, events
}

// connected gives viewers connections and offers that come and go, more of them at the end, and what those take.
func connected(r *samples.Row, at, leaked float64) {
	if !isViewer(r.Program) {
		return
	}
	tick := math.Floor(at / 10)
	peers, offers := 6+math.Mod(tick, 5), math.Mod(math.Floor(tick/5), 4)
	if at > 7270 {
		peers, offers = 9, 30
	}
	r.Values[samples.Peers], r.Values[samples.Offers] = peers, offers
	r.Values[samples.Goroutines] = 29 + 21*peers + 7*offers + leaked
	r.Values[samples.Descriptors] = 15 + 5*peers + 5*offers
}

// failing are the checks that did not pass, as words.
func failing(s summary) (out []string) {
	for _, c := range s.Checks {
		if !c.OK {
			out = append(out, c.Kind+" "+c.Program+" "+c.Figure)
		}
	}
	return append(out, s.Failures...)
}

func TestSummarize(t *testing.T) {
	only := func(name string, f func(r *samples.Row, at float64)) func(*samples.Row, float64) {
		return func(r *samples.Row, at float64) {
			if r.Program == name {
				f(r, at)
			}
		}
	}
	for name, tt := range map[string]struct {
		change func(r *samples.Row, at float64)
		want   string
	}{
		"healthy": {nil, ""},
		"a tracker that leaks memory": {only(trackerName, func(r *samples.Row, at float64) { r.Values[samples.RSS] += 4000 * at }),
			"flat tracker rss_bytes"},
		"a seeder that leaks descriptors": {only(keptSeeder, func(r *samples.Row, at float64) { r.Values[samples.Descriptors] += at / 100 }),
			"flat seeder-a descriptors, flat seeder-a descriptors beyond connections, back seeder-a descriptors beyond connections"},
		"a viewer that leaks a goroutine for each that came": {only(playerName+"1", func(r *samples.Row, at float64) { r.Values[samples.Goroutines] += at / 6 }),
			"flat player-1 goroutines, flat player-1 goroutines beyond connections, back player-1 goroutines beyond connections"},
		"a seeder that is restarted may be anything": {only(otherSeeder, func(r *samples.Row, at float64) { r.Values[samples.RSS] += 4000 * at }), ""},
		"what a tracker had before its restart does not count": {only(trackerName, func(r *samples.Row, at float64) {
			if r.Life == 1 {
				r.Values[samples.RSS] = 1
			}
		}), ""},
		"more connections than before explain more of both": {func(r *samples.Row, at float64) { connected(r, at, 0) }, ""},
		"a goroutine is left by each connection": {func(r *samples.Row, at float64) { connected(r, at, at/60) },
			"flat crowd goroutines, flat crowd goroutines beyond connections, back crowd goroutines beyond connections, " +
				"flat player-1 goroutines, flat player-1 goroutines beyond connections, back player-1 goroutines beyond connections"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := summarize(recorded(tt.change))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(failing(s), ", "); got != tt.want || s.OK != (tt.want == "") {
				t.Errorf("%q (%v), want %q", got, s.OK, tt.want)
			}
		})
	}
}

func TestSummaryCounts(t *testing.T) {
	m, rows, events := recorded(nil)
	s, err := summarize(m, rows, append(events,
		samples.Event{At: 5, Program: "comer-1", What: samples.Failure, Detail: "went wrong"},
		samples.Event{At: 6, Program: "comer-1", What: samples.Report, Detail: reportText(viewer.Result{StartupMs: 70})},
		samples.Event{At: 7, Program: "comer-8", What: samples.Report, Detail: reportText(viewer.Result{StartupMs: -1})}))
	if err != nil {
		t.Fatal(err)
	}
	if s.OK || len(s.Failures) != 1 || s.Joined != 1 || s.Vanished != 1 || s.Kills != 1 || s.Trackers != 1 || s.Minutes != 120 || s.StartupMs != 70 {
		t.Errorf("%+v", s)
	}
	if math.Abs(s.Offload-0.9) > 1e-9 || s.ViewerHours < 9.9 || s.ViewerHours > 10.3 || math.Abs(s.Cores-0.05) > 0.01 {
		t.Errorf("offload %v, %v hours, %v cores", s.Offload, s.ViewerHours, s.Cores)
	}
	for _, want := range []string{"did not pass", "went wrong", "offload 0.900", "| tracker | rss, MiB | ", "| tracker | goroutines | 50 | 50 | 63 | ok |"} {
		if text := s.markdown(); !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestASoakThatDidNotEndIsNotJudged(t *testing.T) {
	m, rows, events := recorded(nil)
	if _, err := summarize(m, rows, events[:3]); err == nil || !strings.Contains(err.Error(), "did not come to its end") {
		t.Error(err)
	}
}

func TestPicture(t *testing.T) {
	_, rows, events := recorded(nil)
	c := picture(rows, events)
	if len(c.Panels) != 5 || len(c.Spans) != 2 || len(c.Marks) != 4 || strings.Join(c.Names, " ") != "tracker seeder-a seeder-b crowd player-1" {
		t.Errorf("%d panels, %d spans, %v, %v", len(c.Panels), len(c.Spans), c.Marks, c.Names)
	}
	lives := 0
	for _, l := range c.Panels[0].Lines {
		if len(l.Points) > points {
			t.Errorf("%s has %d points", l.Name, len(l.Points))
		}
		if l.Name == otherSeeder {
			lives++
		}
	}
	if lives != 2 {
		t.Errorf("%d lines for a seeder of two lives", lives)
	}
}

// TestFilesMayBePacked writes a soak as it is kept in this repository, and judges and draws it.
func TestFilesMayBePacked(t *testing.T) {
	dir := t.TempDir()
	m, rows, events := recorded(nil)
	pack := func(name string, write func(io.Writer) error) {
		t.Helper()
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if err := errors.Join(write(z), z.Close(), os.WriteFile(filepath.Join(dir, name+".gz"), b.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	pack(samplesFile, func(w io.Writer) error {
		out, err := samples.NewWriter(w)
		return errors.Join(err, out.Write(rows...))
	})
	pack(eventsFile, func(w io.Writer) error {
		out, err := samples.NewEventWriter(w)
		for _, e := range events {
			err = errors.Join(err, out.Write(e))
		}
		return err
	})
	text, err := json.Marshal(m)
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, machineFile), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := judgeFiles(dir, &out); err != nil || !strings.Contains(out.String(), "passed") {
		t.Errorf("%v\n%s", err, out.String())
	}
	for _, csv := range []string{samplesFile, samplesFile + ".gz"} {
		svg := filepath.Join(dir, csv+".svg")
		if err := graph(filepath.Join(dir, csv), svg); err != nil {
			t.Error(err)
		}
		if text, err := os.ReadFile(svg); err != nil || !strings.Contains(string(text), "seeder-b SIGKILL") {
			t.Errorf("%v: no restart in the graph", err)
		}
	}
}
