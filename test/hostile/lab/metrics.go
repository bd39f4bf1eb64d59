package lab

import (
	"strconv"
	"strings"
	"testing"
)

// Metrics is one scrape: values by series, as in `name{label="value"}`.
type Metrics map[string]float64

// Metrics scrapes the program.
func (p *Process) Metrics(t testing.TB) Metrics {
	t.Helper()
	m := Metrics{}
	for line := range strings.Lines(string(Get(t, "http://"+p.Admin+"/metrics"))) {
		line = strings.TrimSuffix(line, "\n")
		space := strings.LastIndexByte(line, ' ')
		if space < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if v, err := strconv.ParseFloat(line[space+1:], 64); err == nil {
			m[line[:space]] = v
		}
	}
	return m
}

// Sum adds up the series of a name that have all the given labels, each as `label="value"`.
func (m Metrics) Sum(name string, labels ...string) (sum float64) {
series:
	for s, v := range m {
		own, rest, _ := strings.Cut(s, "{")
		if own != name {
			continue
		}
		for _, l := range labels {
			if !strings.Contains(rest, l) {
				continue series
			}
		}
		sum += v
	}
	return sum
}

// Since returns by how much the series whose names begin with prefix have changed.
func (m Metrics) Since(before Metrics, prefix string) Metrics {
	changed := Metrics{}
	for s, v := range m {
		if d := v - before[s]; d != 0 && strings.HasPrefix(s, prefix) {
			changed[s] = d
		}
	}
	return changed
}

// Counts reports by how much a counter grew while f ran.
func (p *Process) Counts(t testing.TB, f func(), name string, labels ...string) float64 {
	t.Helper()
	before := p.Metrics(t).Sum(name, labels...)
	f()
	return p.Metrics(t).Sum(name, labels...) - before
}
