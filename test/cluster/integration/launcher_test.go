package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

const (
	patience     = 20 * time.Second
	pollInterval = 50 * time.Millisecond
)

// launcher runs the built launcher on one cluster.
type launcher struct {
	bin, name string
}

// build makes the launcher and the probe out of what is in the folder now.
func build(t *testing.T) (l launcher, probe string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces and mounts: run it as root")
	}
	if missing := host.MissingPackages(); len(missing) > 0 {
		t.Fatalf("Debian packages are missing: %s: run `cluster deps`", strings.Join(missing, " "))
	}
	dir := t.TempDir()
	l = launcher{bin: filepath.Join(dir, "cluster"), name: "itest"}
	probe = filepath.Join(dir, "probe")
	for target, source := range map[string]string{l.bin: "..", probe: "./probe"} {
		cmd := exec.Command("go", "build", "-buildvcs=false", "-o", target, source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", source, err, out)
		}
	}
	return l, probe
}

func (l launcher) named(name string) launcher { return launcher{bin: l.bin, name: name} }

func (l launcher) command(args ...string) *exec.Cmd {
	return exec.Command(l.bin, append([]string{"--name", l.name}, args...)...)
}

// try runs a command of the launcher.
func (l launcher) try(args ...string) (out, log string, err error) {
	var stdout, stderr bytes.Buffer
	cmd := l.command(args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// do runs a command of the launcher that must succeed.
func (l launcher) do(t *testing.T, args ...string) string {
	t.Helper()
	out, log, err := l.try(args...)
	if err != nil {
		t.Fatalf("cluster %s: %v\n%s%s", strings.Join(args, " "), err, out, log)
	}
	return out
}

func (l launcher) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return l.do(t, append([]string{"kubectl", "--"}, args...)...)
}

func (l launcher) apply(t *testing.T, objects string) {
	t.Helper()
	cmd := l.command("kubectl", "--", "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(objects)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("applying: %v\n%s", err, out)
	}
}

type office struct {
	Name, Netns, CIDR, Address string
	WANBytesIn, WANBytesOut    uint64
}

func (l launcher) office(t *testing.T, name string, args ...string) office {
	t.Helper()
	var o office
	decode(t, l.do(t, append([]string{"office", name}, args...)...), &o)
	return o
}

// nodes maps the names of nodes to their addresses.
func (l launcher) nodes(t *testing.T) map[string]string {
	t.Helper()
	var list []struct{ Name, IP string }
	decode(t, l.do(t, "nodes", "--json"), &list)
	ips := map[string]string{}
	for _, n := range list {
		ips[n.Name] = n.IP
	}
	return ips
}

// up brings the cluster up and has it taken down when the test ends, however it ends.
func (l launcher) up(t *testing.T, args ...string) {
	t.Helper()
	t.Cleanup(func() {
		if _, log, err := l.try("down"); err != nil {
			t.Errorf("cluster down: %v\n%s", err, log)
		}
	})
	began := time.Now()
	l.do(t, append([]string{"up"}, args...)...)
	t.Logf("cluster %s was up in %s", l.name, time.Since(began).Round(100*time.Millisecond))
}

func decode(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("reading %q: %v", text, err)
	}
}

// eventually waits until check succeeds.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		case <-time.After(pollInterval):
		}
	}
}

// seen asks a probe and returns what it says: who answers, and from which address it was asked.
func (l launcher) seen(place, probe, verb, target string) (who, error) {
	var w who
	out, log, err := l.try("exec", place, "--", probe, verb, target)
	if err != nil {
		return w, fmt.Errorf("%s from %s, %s: %w: %s", target, place, verb, err, log)
	}
	if err := json.Unmarshal([]byte(out), &w); err != nil {
		return w, fmt.Errorf("reading %q: %w", out, err)
	}
	return w, nil
}

type who struct{ Pod, Node, Seen string }
