package main

import (
	"debug/elf"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestWhatCannotRunIsRefused(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	good := program(t, elf.EM_X86_64, elf.PT_LOAD)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"dynamic":        {[]string{"--binary", program(t, elf.EM_X86_64, elf.PT_INTERP), "--tag", tag}, 1, "CGO_ENABLED=0"},
		"other machine":  {[]string{"--binary", program(t, elf.EM_S390, elf.PT_LOAD), "--tag", tag}, 1, "amd64 and arm64"},
		"other platform": {[]string{"--binary", good, "--platform", "linux/arm64", "--tag", tag}, 1, "GOARCH=arm64"},
		"no program":     {[]string{"--binary", text, "--tag", tag}, 1, "GOOS=linux"},
		"no file":        {[]string{"--binary", text + "x", "--tag", tag}, 1, "build it first"},
		"short tag":      {[]string{"--binary", good, "--tag", "p2pstream:dev"}, 1, "host, name and tag"},
		"no tag":         {[]string{"--binary", good, "--tag", "localhost/p2pstream"}, 1, "host, name and tag"},
		"tag missing":    {[]string{"--binary", good}, 2, "--tag and --out are needed"},
		"both outputs":   {[]string{"--binary", good, "--tag", tag, "--rootfs", "x"}, 2, "give either"},
		"odd platform":   {[]string{"--binary", good, "--tag", tag, "--platform", "windows/amd64"}, 2, "windows/amd64"},
		"word":           {[]string{"bin/p2pstream"}, 2, "only flags"},
		"unknown flag":   {[]string{"--binray", good}, 2, "binray"},
		"nothing":        {nil, 2, "--binary is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "image.tar")
			var stdout, stderr strings.Builder
			if code := run(append([]string{"--out", out}, c.args...), &stdout, &stderr); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			if !strings.Contains(stderr.String(), c.says) {
				t.Errorf("said %q, want %q in it", &stderr, c.says)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("left an archive behind")
			}
		})
	}
}

func TestHelpShowsAnExample(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if code := run([]string{"--help"}, &stdout, &stderr); code != 0 {
		t.Errorf("exit %d: %s", code, &stderr)
	}
	for _, want := range []string{"Example:", "--tag localhost/p2pstream:dev", "CGO_ENABLED=0", "-platform"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("help lacks %q", want)
		}
	}
}

// The Dockerfile must describe the same image.
func TestDockerfileDescribesTheSameImage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nUSER " + user + "\n", "\nENTRYPOINT [\"" + entrypoint + "\"]\n", "\nFROM scratch\n",
		"CGO_ENABLED=0", "--rootfs", "org.opencontainers.image.source=\"" + source + "\"", "org.opencontainers.image.licenses=\"Apache-2.0\"",
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("Dockerfile lacks %q", want)
		}
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	wants := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindSubmatch(mod)
	builds := regexp.MustCompile(`(?m)^FROM .*golang:(1\.\d+)`).FindSubmatch(raw)
	if wants == nil || builds == nil || string(wants[1]) != string(builds[1]) {
		t.Errorf("go.mod wants Go %s, the Dockerfile builds with %s", wants, builds)
	}
}
