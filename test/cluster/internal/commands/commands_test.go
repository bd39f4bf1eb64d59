package commands

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func run(t *testing.T, line string) (code int, out, log string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = Execute(t.Context(), strings.Fields(line), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	root := newRoot(&app{out: &bytes.Buffer{}, log: &bytes.Buffer{}})
	all := append([]*cobra.Command{root}, root.Commands()...)
	for _, cmd := range all {
		if !strings.Contains(cmd.Example, "cluster") {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		code, out, _ := run(t, strings.TrimPrefix(cmd.CommandPath(), "cluster")+" --help")
		if code != 0 || !strings.Contains(out, "Examples:") {
			t.Errorf("%s --help: exit %d, %q", cmd.CommandPath(), code, out)
		}
	}
}

// Arguments are looked at before the machine and before the user is checked.
func TestUnusableArgumentsExitTwo(t *testing.T) {
	for line, want := range map[string]string{
		"up --nodes many":         "nodes",
		"up --nodes 0":            "--nodes",
		"up extra":                "cluster up --help",
		"up --unknown":            "unknown",
		"--name Bad! list":        "--name",
		"--name a-b down":         "--name",
		"office":                  "cluster office --help",
		"office paris --rate 20":  "--rate",
		"office n1":               "n1",
		"exec paris":              "cluster exec --help",
		"masquerade maybe":        "cluster masquerade --help",
		"load":                    "cluster load --help",
		"unheard-of":              "unheard-of",
		"image x --out y":         "tag",
		"image x --tag y --out z": "localhost/p2pstream:dev",
	} {
		code, _, log := run(t, line)
		if code != 2 || !strings.Contains(log, want) {
			t.Errorf("cluster %s: exit %d, %q; want 2 and %q", line, code, log, want)
		}
	}
}

func TestAClusterThatIsNotUp(t *testing.T) {
	for _, line := range []string{"kubeconfig", "nodes", "kubectl -- get nodes"} {
		code, out, log := run(t, "--name nosuch "+line)
		if code != 1 || out != "" || !strings.Contains(log, "cluster up --name nosuch") {
			t.Errorf("cluster %s: exit %d, %q, %q", line, code, out, log)
		}
	}
}
