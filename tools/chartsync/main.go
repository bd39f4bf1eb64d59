// Command chartsync writes the parts of charts/p2pstream that are made from other files: the CRD from
// config/crd, the RBAC rules from config/rbac, and the table of the README from values.yaml. With
// --check it writes nothing and fails where a file is not what it would write.
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

const usage = `chartsync writes what charts/p2pstream has from config/ and from its own values.yaml.

usage: chartsync [--root DIR] [--check]

Example:
  cd tools && go run ./chartsync

Flags:
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 1 if something failed or differs, 2 for unusable arguments.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("chartsync", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", "..", "`DIR` of the repository")
	check := flags.Bool("check", false, "write nothing; fail where a file is not up to date")
	flags.Usage = func() {
		_, _ = fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	files, err := generate(*root)
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "chartsync:", err)
		return 1
	}
	code := 0
	for _, f := range files {
		old, err := os.ReadFile(filepath.Join(*root, f.path))
		if err == nil && bytes.Equal(old, f.data) {
			continue
		}
		if *check {
			_, _ = fmt.Fprintf(stderr, "chartsync: %s is out of date; run: make chart\n", f.path)
			code = 1
			continue
		}
		if err := os.WriteFile(filepath.Join(*root, f.path), f.data, 0o644); err != nil { //nolint:gosec // part of the source tree
			_, _ = fmt.Fprintln(stderr, "chartsync: writing chart:", err)
			return 1
		}
		_, _ = fmt.Fprintln(stdout, "wrote", f.path)
	}
	return code
}

// file is one generated file, by its path below the root of the repository.
type file struct {
	path string
	data []byte
}

const chart = "charts/p2pstream"

func generate(root string) ([]file, error) {
	read := func(path string) ([]byte, error) {
		raw, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return nil, fmt.Errorf("reading source: %w", err)
		}
		return raw, nil
	}
	crds := map[string][]byte{}
	for _, resource := range []string{"p2pstreams", "p2pnetworks"} {
		source, err := read("config/crd/p2pstream.dev_" + resource + ".yaml")
		if err != nil {
			return nil, err
		}
		if crds[resource], err = crdTemplate(resource, string(source)); err != nil {
			return nil, fmt.Errorf("making template of the CRD: %w", err)
		}
	}
	rules, err := rulesTemplate(read)
	if err != nil {
		return nil, fmt.Errorf("making template of the rules: %w", err)
	}
	values, err1 := read(chart + "/values.yaml")
	readme, err2 := read(chart + "/README.md")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	readme, err = withTable(readme, values)
	if err != nil {
		return nil, fmt.Errorf("making table of values: %w", err)
	}
	return []file{
		{chart + "/templates/crd.yaml", crds["p2pstreams"]},
		{chart + "/templates/crd-networks.yaml", crds["p2pnetworks"]},
		{chart + "/templates/_rules.tpl", rules},
		{chart + "/README.md", readme},
	}, nil
}
