package main

import (
	"context"
	"path/filepath"
	"strings"
	"time"
)

const (
	// buildIdle is the longest time in which a build may show no progress. A build as a whole may take as long
	// as it needs. The longest silent part is linking Kubernetes, one minute on two idle cores.
	buildIdle = 15 * time.Minute
	// shortTime bounds steps that take seconds on an idle machine.
	shortTime = 5 * time.Minute
)

// staticBinary runs in an image without a C library; `make image` builds the same one.
const staticBinary = "static/p2pstream"

// build is one program to build; Go's build cache makes it cheap when nothing changed.
type build struct {
	output string   // path below bin/
	flags  []string // that decide what is compiled
	pkg    string
	dir    string
	env    []string
}

// programs are what the demo needs beside Kubernetes itself.
func (d *demo) programs(version string) []build {
	return []build{
		{
			output: staticBinary, flags: []string{"-trimpath", "-ldflags", "-s -w -X main.version=" + version}, pkg: "./cmd/p2pstream",
			dir: d.root, env: []string{"CGO_ENABLED=0"},
		},
		{output: "cluster", pkg: ".", dir: filepath.Join(d.root, "test", "cluster")},
		{output: "image", pkg: "./image", dir: filepath.Join(d.root, "tools")},
	}
}

// list prints the packages of the program that Go's build cache lacks; it downloads missing modules.
func (b build) list() command {
	return b.command("list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}")
}

// compile builds the program; total is the number of packages to compile.
func (b build) compile(path string, total int) command {
	c := b.command("build", "-v", "-o", path)
	c.noise, c.describe = packageLine.MatchString, (&packageCounter{total: total}).describe
	return c
}

func (b build) command(verb string, args ...string) command {
	all := append([]string{"go", verb}, b.flags...)
	all = append(append(all, args...), b.pkg)
	return command{args: all, dir: b.dir, env: b.env, idle: buildIdle}
}

// bin is the path of a built program.
func (d *demo) bin(name string) string { return filepath.Join(d.root, "bin", name) }

func (d *demo) build(ctx context.Context, b build) error {
	return d.ui.step(ctx, "building bin/"+b.output, func(ctx context.Context, a *activity) error {
		const next = "fix what the message names, then run the demo again; compiled packages stay in Go's build cache"
		stale, err := d.runner.output(ctx, b.list(), a)
		if err != nil {
			return withNext(err, next)
		}
		return withNext(d.runner.run(ctx, b.compile(d.bin(b.output), len(strings.Fields(string(stale)))), a), next)
	})
}

// version names the checkout in the binary and the image.
func (d *demo) version(ctx context.Context) string {
	out, err := d.runner.output(ctx, command{args: []string{"git", "describe", "--tags", "--always", "--dirty"}, dir: d.root, timeout: shortTime}, nil)
	if v := strings.TrimSpace(string(out)); err == nil && v != "" {
		return v
	}
	return "dev"
}
