package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/internal/sitespec"
	"github.com/p2pstream/p2pstream/runtime/sites"
)

func sitesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "sites",
		Short:   "Work with maps of sites, without a network or a cluster",
		Example: "  p2pstream sites check subnets.csv 10.1.2.3",
	}
	c.AddCommand(sitesCheckCommand())
	return c
}

// errBadLines makes the command fail after it has printed everything.
var errBadLines = errors.New("the map has lines that are ignored; mend them, or remove them")

func sitesCheckCommand() *cobra.Command {
	var file, output string
	c := &cobra.Command{
		Use:   "check MAP [ADDRESS…]",
		Short: "Tell what a map of sites does, and to which site addresses belong",
		Long: `Reads a map of sites: CSV with one line for each site (group id, subnets, P2P, as
for Microsoft eCDN, or with a header that names site, cidrs, peering, crossSite
and gateways), or YAML: spec.sites of a P2PStream, or the whole manifest.
Prints the sites, prefixes without effect because an earlier site holds them, and
lines that are ignored. Fails if there are any. MAP - reads the standard input.`,
		Example: `  p2pstream sites check subnets.csv
  p2pstream sites check subnets.csv 10.1.2.3 2001:db8::1
  p2pstream sites check town-hall.yaml --map subnets.csv -o json 10.1.2.3`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{errors.New("name the map: a CSV or YAML file, or - for the standard input")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return &usageError{fmt.Errorf("--output %q is not text or json", output)}
			}
			var addrs []netip.Addr
			for _, a := range args[1:] {
				addr, err := netip.ParseAddr(a)
				if err != nil {
					return &usageError{fmt.Errorf("%q is not an IP address", a)}
				}
				addrs = append(addrs, addr)
			}
			m, err := readSites(c.InOrStdin(), args[0], file)
			if err != nil {
				return err
			}
			out := checked{Report: m.Report()}
			for _, addr := range addrs {
				out.Addresses = append(out.Addresses, found(m, addr))
			}
			if err := out.write(c.OutOrStdout(), output); err != nil {
				return fmt.Errorf("writing the report: %w", err)
			}
			if out.Ignored > 0 {
				return errBadLines
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "map", "", "CSV file with the content of the ConfigMap that spec.sites.mapRef names")
	c.Flags().StringVarP(&output, "output", "o", "text", "form of the report: text or json")
	return c
}

// readSites reads a map from a file, "-" for the standard input, and the CSV that belongs to a manifest from another one.
func readSites(stdin io.Reader, name, file string) (*sites.Map, error) {
	text, err := readMap(stdin, name)
	if err != nil {
		return nil, err
	}
	var cfg sites.Config
	if isYAML(name, text) {
		spec, err := sitesOf(text)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		cfg, text = sitespec.Config(spec), nil
		if file != "" {
			if text, err = readMap(stdin, file); err != nil {
				return nil, err
			}
			name = file
		}
	} else if file != "" {
		return nil, &usageError{errors.New("--map belongs to a manifest: MAP is CSV already")}
	}
	lines, err := sites.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return sites.New(cfg, lines)
}

func readMap(stdin io.Reader, name string) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("opening the map: %w", err)
		}
		defer f.Close() //nolint:errcheck // opened for reading only
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, sites.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return text, nil
}

// isYAML tells YAML and JSON from CSV, by the name of the file or by its first key.
func isYAML(name string, text []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	case ".csv", ".tsv", ".txt":
		return false
	}
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' || string(line) == "---" {
			continue
		}
		key, _, ok := strings.Cut(string(line), ":")
		return line[0] == '{' || ok && slices.Contains([]string{"apiVersion", "kind", "metadata", "spec", "sites", "list", "mask", "fallback", "mapRef"}, key)
	}
	return false
}

// sitesOf returns the sites of a manifest or of spec.sites alone.
func sitesOf(text []byte) (*v1.SitesSpec, error) {
	if !bytes.Contains(text, []byte("apiVersion")) {
		return v1.LoadSites(bytes.NewReader(text))
	}
	stream, err := v1.Load(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if stream.Spec.Sites == nil {
		return nil, errors.New("the stream has no spec.sites")
	}
	return stream.Spec.Sites, nil
}
