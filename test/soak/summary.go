package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/p2pstream/p2pstream/test/soak/judge"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// longEnough is how long viewers must come and go for growth to be told from
// warming up.
const longEnough = 30 * time.Minute

// Kinds of checks.
const (
	kindFlat = "flat" // last quarter of the churn against its second
	kindBack = "back" // after the churn against before
)

// check is one figure of one program, judged.
type check struct {
	Program string  `json:"program"`
	Figure  string  `json:"figure"`
	Kind    string  `json:"kind"`
	Early   float64 `json:"early"`
	Late    float64 `json:"late"`
	Bound   float64 `json:"bound"`
	OK      bool    `json:"ok"`
	Why     string  `json:"why,omitempty"`
}

// summary is what a soak found.
type summary struct {
	Machine machineInfo `json:"machine"`
	Minutes float64     `json:"minutes"` // of coming and going
	OK      bool        `json:"ok"`

	Joined   int `json:"viewersJoined"`
	Left     int `json:"viewersLeft"`
	Vanished int `json:"viewersKilled"`
	Switches int `json:"renditionSwitches"`
	Terms    int `json:"seederSIGTERM"`
	Kills    int `json:"seederSIGKILL"`
	Trackers int `json:"trackerRestarts"`

	Bytes       bytesBySource `json:"bytes"` // that all viewers received
	Offload     float64       `json:"offload"`
	KeptStalls  int           `json:"stallsOfLastingViewers"`
	ComerStalls int           `json:"stallsOfOthers"`
	ViewerHours float64       `json:"viewerHours"`
	StartupMs   float64       `json:"medianStartupMs"` // of viewers that came and went without a player
	Played      int           `json:"segmentsOfLastingPlayers"`
	Errors      int           `json:"errorsOfLastingPlayers"`
	Cores       float64       `json:"coresUsed"`
	Missed      int           `json:"samplesMissed"`

	Failures []string `json:"failures,omitempty"`
	Checks   []check  `json:"checks"`
}

type bytesBySource struct {
	HTTP   float64 `json:"http"`
	Seeder float64 `json:"seeder"`
	Viewer float64 `json:"viewer"`
}

// judgeFiles judges what a soak wrote into a directory, and writes the summary there.
func judgeFiles(dir string, out io.Writer) error {
	rows, events, err := files(filepath.Join(dir, samplesFile))
	if err != nil {
		return err
	}
	var m machineInfo
	text, err := os.ReadFile(filepath.Join(dir, machineFile))
	if err != nil {
		return fmt.Errorf("reading what the soak ran on: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("reading what the soak ran on: %w", err)
	}
	s, err := summarize(m, rows, events)
	if err != nil {
		return err
	}
	if text, err = json.MarshalIndent(s, "", "  "); err != nil {
		return fmt.Errorf("writing summary: %w", err)
	}
	markdown := s.markdown()
	for name, content := range map[string][]byte{"summary.json": append(text, '\n'), "summary.md": []byte(markdown)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("writing summary: %w", err)
		}
	}
	if _, err := io.WriteString(out, markdown); err != nil {
		return fmt.Errorf("printing summary: %w", err)
	}
	if !s.OK {
		return fmt.Errorf("the soak did not pass: see %s", filepath.Join(dir, "summary.md"))
	}
	return nil
}

// summarize makes a summary of what was written down. It needs a soak that has
// come to its end.
func summarize(m machineInfo, rows []samples.Row, events []samples.Event) (summary, error) {
	s := summary{Machine: m}
	from, began := samples.At(events, samples.Churn)
	to, ended := samples.At(events, samples.Quiet)
	if !began || !ended {
		return s, fmt.Errorf("judging: the soak did not come to its end, after %d samples and %d events; to see how it was, draw the graph",
			len(rows), len(events))
	}
	s.Minutes = math.Round((to-from)/6) / 10
	s.count(events)
	s.add(rows)
	cs := costsOf(rows)
	for _, name := range kept(rows) {
		if (to-from)/60 >= longEnough.Minutes() {
			s.Checks = append(s.Checks, flatness(rows, cs, name, from, to)...)
		}
		s.Checks = append(s.Checks, comeback(rows, cs, name, from-m.Plan.Settle.Seconds(), from, to)...)
	}
	s.OK = len(s.Failures) == 0 && !slices.ContainsFunc(s.Checks, func(c check) bool { return !c.OK })
	return s, nil
}

func (s *summary) count(events []samples.Event) {
	var startups []float64
	defer func() {
		if len(startups) > 0 {
			s.StartupMs = judge.Median(startups)
		}
	}()
	for _, e := range events {
		switch e.What {
		case samples.Join:
			s.Joined++
		case samples.Leave:
			s.Left++
		case samples.Vanish:
			s.Vanished++
		case samples.Switch:
			s.Switches++
		case samples.Kill:
			s.Kills++
		case samples.Term:
			if e.Program == trackerName {
				s.Trackers++
			} else {
				s.Terms++
			}
		case samples.Report:
			if one, err := parseReport(e.Detail); err == nil && one.StartupMs >= 0 {
				startups = append(startups, float64(one.StartupMs))
			}
		case samples.Missed:
			s.Missed++
		case samples.Failure:
			s.Failures = append(s.Failures, fmt.Sprintf("%.0f s: %s: %s", e.At, e.Program, e.Detail))
		}
	}
}

// add sums what each process had counted when it was last sampled.
func (s *summary) add(rows []samples.Row) {
	type process struct {
		name string
		life int
	}
	last := map[process]samples.Row{}
	end := 0.0
	for _, r := range rows {
		last[process{r.Program, r.Life}] = r
		end = max(end, r.At)
	}
	value := func(r samples.Row, c samples.Column) float64 {
		if v := r.Values[c]; !math.IsNaN(v) {
			return v
		}
		return 0
	}
	for p, r := range last {
		s.Cores += value(r, samples.CPU) / max(end, 1)
		if !isViewer(p.name) && !isComer(p.name) {
			continue
		}
		s.Bytes.HTTP += value(r, samples.HTTP)
		s.Bytes.Seeder += value(r, samples.Seeder)
		s.Bytes.Viewer += value(r, samples.Viewer)
		if isComer(p.name) {
			s.ComerStalls += int(value(r, samples.Stalls))
		} else {
			s.KeptStalls += int(value(r, samples.Stalls))
			s.Errors += int(value(r, samples.Errors))
			s.Played += int(value(r, samples.Segments))
		}
	}
	for _, r := range rows {
		n := 1.0
		switch {
		case r.Program == crowdName:
			n = float64(s.Machine.Plan.Crowd)
		case !isViewer(r.Program) && !isComer(r.Program):
			n = 0
		}
		s.ViewerHours += n * s.Machine.Plan.Every.Hours()
	}
	if all := s.Bytes.HTTP + s.Bytes.Seeder + s.Bytes.Viewer; all > 0 {
		s.Offload = (s.Bytes.Seeder + s.Bytes.Viewer) / all
	}
}
