package main

import (
	"fmt"
	"strings"
)

// markdown is the summary for people.
func (s summary) markdown() string {
	var b strings.Builder
	result := "passed"
	if !s.OK {
		result = "**did not pass**"
	}
	m := s.Machine
	fmt.Fprintf(&b, "The soak of p2pstream %s %s: %.0f minutes of coming and going, begun %s, seed %d.\n", m.Version, result, s.Minutes,
		m.Began.Format("2006-01-02 15:04 UTC"), m.Seed)
	fmt.Fprintf(&b, "Machine: %s, %d × %s, %s; soak built with %s.\n\n", m.System, m.Cores, m.Model, m.Memory, m.Go)
	fmt.Fprintf(&b, "| what | how much |\n| --- | --- |\n")
	for _, line := range [][2]string{
		{"viewers that came", fmt.Sprintf("%d, of which %d left and %d were killed", s.Joined, s.Left, s.Vanished)},
		{"changes of rendition", fmt.Sprint(s.Switches)},
		{"seeder restarts", fmt.Sprintf("%d by SIGTERM, %d by SIGKILL", s.Terms, s.Kills)},
		{"tracker restarts", fmt.Sprint(s.Trackers)},
		{"time watched", fmt.Sprintf("%.1f hours", s.ViewerHours)},
		{"stalls", fmt.Sprintf("%d of viewers that were there throughout, %d of those that came and went", s.KeptStalls, s.ComerStalls)},
		{"startup of those that came", fmt.Sprintf("%.0f ms (median)", s.StartupMs)},
		{"segments of lasting players", fmt.Sprintf("%d, and %d requests that failed", s.Played, s.Errors)},
		{"received", fmt.Sprintf("%.0f MB from the origin, %.0f MB from seeders, %.0f MB from viewers: offload %.3f", s.Bytes.HTTP/1e6, s.Bytes.Seeder/1e6, s.Bytes.Viewer/1e6, s.Offload)},
		{"processor", fmt.Sprintf("%.2f cores on average, all programs together", s.Cores)},
		{"samples missed", fmt.Sprint(s.Missed)},
		{"failures", fmt.Sprint(len(s.Failures))},
	} {
		fmt.Fprintf(&b, "| %s | %s |\n", line[0], line[1])
	}
	for _, f := range s.Failures {
		fmt.Fprintf(&b, "\n- %s", f)
	}
	s.table(&b, kindFlat, "Last quarter of the churn against its second (medians)", "second quarter", "last quarter")
	s.table(&b, kindBack, "After the churn against before it", "before, at most", "after, at least")
	return b.String()
}

func (s summary) table(b *strings.Builder, kind, title, early, late string) {
	begun := false
	for _, c := range s.Checks {
		if c.Kind != kind {
			continue
		}
		if !begun {
			fmt.Fprintf(b, "\n%s:\n\n| program | figure | %s | %s | bound | |\n| --- | --- | ---: | ---: | ---: | --- |\n", title, early, late)
			begun = true
		}
		verdict := "ok"
		if !c.OK {
			verdict = "**" + c.Why + "**"
		}
		figure, unit := strings.TrimSuffix(c.Figure, "_bytes"), 1.0
		if figure != c.Figure {
			figure, unit = figure+", MiB", 1<<20
		}
		number := func(v float64) string {
			switch {
			case v < 0:
				return "–"
			case unit > 1:
				return fmt.Sprintf("%.1f", v/unit)
			}
			return fmt.Sprintf("%.0f", v)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s |\n", c.Program, figure, number(c.Early), number(c.Late), number(c.Bound), verdict)
	}
}
