package lab

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Metrics is one scrape: values by series, as in `name{label="value"}`.
type Metrics map[string]float64

// Scrape reads the metrics that a program serves on its admin address, host:port.
func Scrape(ctx context.Context, admin string) (Metrics, error) {
	body, err := Fetch(ctx, "http://"+admin+"/metrics")
	if err != nil {
		return nil, fmt.Errorf("scraping metrics: %w", err)
	}
	return ParseMetrics(body)
}

// ParseMetrics reads Prometheus' text format, without time stamps.
func ParseMetrics(text []byte) (Metrics, error) {
	m := Metrics{}
	for raw := range bytes.Lines(text) {
		line := strings.TrimSpace(string(raw))
		if line == "" || line[0] == '#' {
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		if space < 0 {
			return nil, fmt.Errorf("parsing metrics: no value in %q", line)
		}
		v, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("parsing metric %s: %w", line[:space], err)
		}
		m[line[:space]] = v
	}
	return m, nil
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
