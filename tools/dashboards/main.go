// Command dashboards writes the Grafana dashboards of the chart. A panel is one line in boards.go; this program adds what
// Grafana wants besides: places, units, the data source and the variables.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const folder = "charts/p2pstream/monitoring/dashboards"

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run writes the files, or with --check only compares them.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("dashboards", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", "..", "root of the repository")
	check := flags.Bool("check", false, "write nothing; fail if a file is not what would be written")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	var problems []error
	for _, b := range boards {
		problems = append(problems, put(filepath.Join(*root, folder, b.File+".json"), b.render(), *check))
	}
	if err := errors.Join(problems...); err != nil {
		_, _ = fmt.Fprintln(stderr, err) // there is nowhere else to say it
		return 1
	}
	return 0
}

func put(path string, want []byte, check bool) error {
	if !check {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a folder of the repository
			return fmt.Errorf("making the folder of dashboards: %w", err)
		}
		return os.WriteFile(path, want, 0o644) //nolint:gosec // a file of the repository
	}
	got, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading dashboard: %w", err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s is not up to date; run make chart", path)
	}
	return nil
}
