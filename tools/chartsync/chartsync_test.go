package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChartIsUpToDate(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	if code := run([]string{"--root", "../..", "--check"}, &stdout, &stderr); code != 0 {
		t.Errorf("exit %d: %s", code, &stderr)
	}
}

// repository makes a small one that is up to date, and returns its folder.
func repository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	role := "rules:\n  # Why.\n  - apiGroups: [\"\"]\n    resources: [pods]\n    verbs: [list]\n"
	for path, text := range map[string]string{
		"config/crd/p2pstream.dev_p2pstreams.yaml":  "---\nkind: X\nmetadata:\n  annotations:\n    a: b\n  name: p2pstreams.p2pstream.dev\nspec:\n  description: in {{braces}}\n",
		"config/crd/p2pstream.dev_p2pnetworks.yaml": "---\nkind: Y\nmetadata:\n  annotations:\n    a: b\n  name: p2pnetworks.p2pstream.dev\nspec: {}\n",
		"config/rbac/manager_role.yaml":             role + "  - apiGroups: [\"\"]\n    resources: [nodes]\n    verbs: [list]\n",
		"config/rbac/leader_role.yaml":              role,
		"config/rbac/view_role.yaml":                role,
		"config/rbac/edit_role.yaml":                role,
		chart + "/values.yaml":                      "# About the file.\n\n# Change a\n# when b | c.\na:\n  # Change d.\n  d: [1]\n",
		chart + "/README.md":                        "before\n" + tableBegin + tableEnd + "after\n",
		chart + "/templates/crd.yaml":               "",
	} {
		write(t, root, path, text)
	}
	var stdout, stderr strings.Builder
	if code := run([]string{"--root", root}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, &stderr)
	}
	return root
}

func write(t *testing.T, root, path, text string) {
	t.Helper()
	name := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, root, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWhatIsWritten(t *testing.T) {
	t.Parallel()
	root := repository(t)
	crd := read(t, root, chart+"/templates/crd.yaml")
	for _, want := range []string{
		"{{- if .Values.crds.enabled }}\nkind: X\n",
		"  annotations:\n    {{- if .Values.crds.keep }}\n    helm.sh/resource-policy: keep\n    {{- end }}\n    a: b\n",
		"    {{- include \"p2pstream.labels\" . | nindent 4 }}\n  name: p2pstreams.p2pstream.dev\n",
		"in {{ \"{{\" }}braces}}\n{{- end }}\n",
	} {
		if !strings.Contains(crd, want) {
			t.Errorf("the CRD lacks %q:\n%s", want, crd)
		}
	}
	rules := read(t, root, chart+"/templates/_rules.tpl")
	for _, want := range []string{
		"define \"p2pstream.rules.manager.namespaced\" -}}\n# Why.\n- apiGroups: [\"\"]\n  resources: [pods]\n",
		"define \"p2pstream.rules.manager.cluster\" -}}\n- apiGroups: [\"\"]\n  resources: [nodes]\n",
		"define \"p2pstream.rules.leader\"", "define \"p2pstream.rules.view\"", "define \"p2pstream.rules.edit\"",
	} {
		if !strings.Contains(rules, want) {
			t.Errorf("the rules lack %q:\n%s", want, rules)
		}
	}
	readme := read(t, root, chart+"/README.md")
	if want := "| `a.d` | `[1]` | Change d. |\n" + tableEnd + "after\n"; !strings.HasSuffix(readme, want) || !strings.HasPrefix(readme, "before\n") {
		t.Errorf("README.md lacks %q:\n%s", want, readme)
	}
}

func TestDriftIsFound(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"templates/crd.yaml", "templates/_rules.tpl", "README.md"} {
		root := repository(t)
		path = chart + "/" + path
		// The marks of the table stay: only what is between them is written.
		changed := strings.Replace(read(t, root, path), tableEnd, "edited by hand\n"+tableEnd, 1)
		if !strings.HasSuffix(path, ".md") {
			changed += "edited by hand\n"
		}
		write(t, root, path, changed)
		var stdout, stderr strings.Builder
		if code := run([]string{"--root", root, "--check"}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), path) {
			t.Errorf("%s: exit %d: %s", path, code, &stderr)
		}
		if read(t, root, path) != changed {
			t.Errorf("%s: --check wrote it", path)
		}
	}
}

func TestSourcesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, text, says string }{
		"another CRD":       {"config/crd/p2pstream.dev_p2pstreams.yaml", "kind: X\n", "want once"},
		"no rules":          {"config/rbac/view_role.yaml", "kind: Role\n", "no rules found"},
		"mixed rule":        {"config/rbac/manager_role.yaml", "rules:\n  - resources: [pods, nodes]\n", "separate rules"},
		"no comment":        {chart + "/values.yaml", "a: 1\n", "a has no comment"},
		"comment far above": {chart + "/values.yaml", "# Change a.\na:\n  b: 1\n", "a.b has no comment"},
		"no marks":          {chart + "/README.md", "text\n", "lacks the marks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := repository(t)
			write(t, root, c.path, c.text)
			var stdout, stderr strings.Builder
			if code := run([]string{"--root", root}, &stdout, &stderr); code != 1 || !strings.Contains(stderr.String(), c.says) {
				t.Errorf("exit %d, said %q, want %q", code, &stderr, c.says)
			}
		})
	}
}
