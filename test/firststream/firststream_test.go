package firststream

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

const (
	page = "docs/first-stream.md"
	// cluster and host are names that the page uses; what is left of them after a failure is removed.
	cluster, host = "first", "ecdn.example.com"
	hostsFile     = "/etc/hosts"
	// within bounds the whole page. A person takes ten minutes, of which most are reading.
	within = 9 * time.Minute
)

// TestFirstStream runs the page in one shell, as a reader does, with the errors of commands as its only addition.
func TestFirstStream(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("the page makes a cluster and needs root; run: sudo -E env PATH=$PATH make docs-test")
	}
	root := lab.Must[string](t)(lab.Root())
	all := lab.Must[[]step](t)(steps(string(lab.Must[[]byte](t)(os.ReadFile(filepath.Join(root, page))))))
	if !slices.ContainsFunc(all, func(s step) bool { return strings.Contains(s.commands, "--name "+cluster+" up") }) {
		t.Fatalf("%s starts no cluster of the name %s", page, cluster)
	}
	leaveNothing(t, root)
	dir := t.TempDir()
	printed := func(i int) string { return filepath.Join(dir, fmt.Sprintf("printed-%d", i)) }
	var script strings.Builder
	script.WriteString("set -eo pipefail\n")
	for i, s := range all {
		// A group of commands is no shell of its own: variables and folders stay.
		_, _ = fmt.Fprintf(&script, "echo \"line %d begins after $SECONDS s\"\n{\n%s\n} >%s 2>&1\n", s.line, s.commands, printed(i))
	}
	script.WriteString("echo \"all took $SECONDS s\"\n")
	said, err := runScript(t, root, dir, script.String())
	t.Logf("%s", said)
	for i, s := range all {
		t.Run(fmt.Sprintf("line %d", s.line), func(t *testing.T) {
			got, missing := os.ReadFile(printed(i))
			t.Logf("%s", got)
			switch want := strings.Join(s.prints, "\n"); {
			case missing != nil:
				t.Fatalf("was not reached:\n%s", s.commands)
			case err != nil && !exists(printed(i+1)):
				t.Errorf("%v:\n%s\n---- printed\n%s", err, s.commands, got)
			case len(s.prints) > 0 && !shows(want, string(got)):
				t.Errorf("%s\n---- printed\n%s\n---- the page shows\n%s", s.commands, got, want)
			}
		})
	}
	if err != nil {
		t.Errorf("running the page: %v", err)
	}
}

// runScript runs the page's commands in a group of processes, which ends with the test.
func runScript(t *testing.T, root, dir, script string) (said string, err error) {
	t.Helper()
	file, log := filepath.Join(dir, "page.sh"), filepath.Join(dir, "log")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	out := lab.Must[*os.File](t)(os.Create(log))
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", file)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, out, out
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { // those of the make that runs this test
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PREPARED", "KUBECONFIG"}, name)
	})
	cmd.Env = append(cmd.Env, "TMPDIR="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	end := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.Cancel = end
	cmd.WaitDelay = 10 * time.Second
	err = cmd.Run()
	if cmd.Process != nil {
		_ = end() // programs in the background of a page that failed
	}
	return string(lab.Must[[]byte](t)(os.ReadFile(log))), err
}

// leaveNothing removes what a page leaves that ends early. It refuses to begin beside what a reader of the page is using.
func leaveNothing(t *testing.T, root string) {
	t.Helper()
	tool := func(args ...string) string {
		out, err := exec.CommandContext(context.Background(), filepath.Join(root, "bin", "cluster"), args...).CombinedOutput()
		if err != nil {
			t.Fatalf("running cluster %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	hosts := func() string { return string(lab.Must[[]byte](t)(os.ReadFile(hostsFile))) }
	if strings.Contains(hosts(), host) {
		t.Fatalf("%s has %s: remove what %s has made first", hostsFile, host, page)
	}
	if slices.ContainsFunc(strings.Split(tool("list"), "\n"), func(l string) bool { return strings.HasPrefix(l, cluster+" ") || l == cluster }) {
		t.Fatalf("a cluster of the name %s is there: remove it first, with bin/cluster --name %s down", cluster, cluster)
	}
	t.Cleanup(func() {
		tool("--name", cluster, "down")
		if now := hosts(); strings.Contains(now, host) {
			kept := slices.DeleteFunc(strings.SplitAfter(now, "\n"), func(l string) bool { return strings.Contains(l, host) })
			if err := os.WriteFile(hostsFile, []byte(strings.Join(kept, "")), 0o644); err != nil {
				t.Error(err)
			}
			t.Errorf("the page leaves %s in %s", host, hostsFile)
		}
	})
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
