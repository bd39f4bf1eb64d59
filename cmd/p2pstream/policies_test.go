package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/runtime/policies"
)

// writtenPolicies runs `p2pstream policies` and returns what it printed.
func writtenPolicies(args ...string) (string, error) {
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"policies"}, args...))
	root.SetOut(&out)
	err := root.Execute()
	return out.String(), err
}

func TestPolicies(t *testing.T) {
	set, err := policies.New("town-hall", []string{"https://intranet.example.com", "https://tracker.example.com:8443"})
	if err != nil {
		t.Fatal(err)
	}
	common := []string{"--origin", "https://intranet.example.com", "--tracker", "wss://tracker.example.com:8443/announce", "--name", "town-hall"}
	for _, f := range policies.Formats {
		got, err := writtenPolicies(append(common, "--format", string(f))...)
		if err != nil || got != string(set.File(f).Content) {
			t.Errorf("%s: %v, %q", f, err, got)
		}
	}
	dir := filepath.Join(t.TempDir(), "new", "folder")
	got, err := writtenPolicies(append(common, "-o", dir)...)
	if err != nil || strings.Count(got, "\n") != len(policies.Formats) {
		t.Fatalf("%v, %q", err, got)
	}
	for _, f := range policies.Formats {
		file := set.File(f)
		path := filepath.Join(dir, file.Name)
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(b, file.Content) || !strings.Contains(got, path+"\n") {
			t.Errorf("%s: %v, %q, and the command printed %q", f, err, b, got)
		}
	}
	two := t.TempDir()
	if got, err := writtenPolicies(append(common, "-o", two, "--format", "reg", "--format", "edge-json")...); err != nil || strings.Count(got, "\n") != 2 {
		t.Errorf("two formats: %v, %q", err, got)
	}
	if _, err := writtenPolicies(append(common, "-o", filepath.Join(two, "town-hall.reg"))...); err == nil {
		t.Error("a file is no folder")
	}
}

func TestPoliciesRefuse(t *testing.T) {
	const page = "https://intranet.example.com"
	for want, args := range map[string][]string{
		"there is no origin of a page":         {"--format", "reg"},
		"show local addresses to every page":   {"--origin", "*", "--format", "reg"},
		"is not an origin":                     {"--origin", page + "/x", "--format", "reg"},
		"--tracker:":                           {"--origin", page, "--tracker", "udp://x", "--format", "reg"},
		"--format: \"adm\" is not a format":    {"--origin", page, "--format", "adm"},
		"name one --format, or a folder":       {"--origin", page},
		"or a folder for several files":        {"--origin", page, "--format", "reg", "--format", "chrome-json"},
		"is not a name":                        {"--origin", page, "--format", "reg", "--name", "../x"},
		"unexpected argument":                  {"--origin", page, "--format", "reg", "now"},
		"unknown flag: --recommended-policies": {"--recommended-policies"},
	} {
		out, err := writtenPolicies(args...)
		var usage *usageError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &usage) || out != "" {
			t.Errorf("%v: %v, want %s; printed %q", args, err, want, out)
		}
	}
}
