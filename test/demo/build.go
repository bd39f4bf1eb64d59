package main

import (
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Times within which a step is done, or something is wrong.
const (
	buildTime = 40 * time.Minute // a fresh machine builds Kubernetes here
	shortTime = 5 * time.Minute
)

// staticBinary runs in an image without a C library; `make image` builds the same one.
const staticBinary = "static/p2pstream"

// build is one program to build; the cache of Go makes it cheap when nothing changed.
type build struct {
	title string
	args  []string
	dir   string
	env   []string
}

// programs are what a cluster of our own needs beside the cluster's own programs.
func (d *demo) programs(version string) []build {
	ldflags := "-s -w -X main.version=" + version
	return []build{
		{
			title: "building bin/" + staticBinary,
			args:  []string{"go", "build", "-v", "-trimpath", "-ldflags", ldflags, "-o", d.bin(staticBinary), "./cmd/p2pstream"},
			dir:   d.root,
			env:   []string{"CGO_ENABLED=0"},
		},
		{title: "building bin/cluster", args: []string{"go", "build", "-v", "-o", d.bin("cluster"), "."}, dir: filepath.Join(d.root, "test", "cluster")},
		{title: "building bin/image", args: []string{"go", "build", "-v", "-o", d.bin("image"), "./image"}, dir: filepath.Join(d.root, "tools")},
	}
}

// packageLine is a line of `go build -v` that only names a package.
var packageLine = regexp.MustCompile(`^[A-Za-z0-9._~/-]+$`)

func (b build) command() command {
	return command{args: b.args, dir: b.dir, env: b.env, timeout: buildTime, noise: packageLine.MatchString}
}

// bin is a built program.
func (d *demo) bin(name string) string { return filepath.Join(d.root, "bin", name) }

func (d *demo) build(ctx context.Context, b build) error {
	return d.ui.step(ctx, b.title, func(ctx context.Context, a *activity) error {
		err := d.runner.run(ctx, b.command(), a)
		return withNext(err, "mend what the compiler names; %s", d.seeLog())
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
