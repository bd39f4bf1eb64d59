// Package prometheus scrapes the running programs with a real Prometheus, and asks it every expression of the alerts and
// dashboards that the chart installs. It also compares docs/metrics.md with what the programs expose.
package prometheus
