package binaries

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func source(t *testing.T) string {
	t.Helper()
	dir, err := FindSource()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFindSource(t *testing.T) {
	dir := source(t)
	if _, err := os.Stat(filepath.Join(dir, "kube", "main.go")); err != nil {
		t.Error(err)
	}
	t.Setenv(SourceVariable, dir)
	if named, err := FindSource(); err != nil || named != dir {
		t.Errorf("got %s, %v; want %s", named, err, dir)
	}
	t.Setenv(SourceVariable, t.TempDir())
	if named, err := FindSource(); err == nil {
		t.Errorf("an empty folder is taken for the source: %s", named)
	}
}

// The version that the linker is told must be the one that the module requires.
func TestKubernetesVersion(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(source(t), "kube", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + KubernetesVersion + "\n"; !strings.Contains(string(mod), want) {
		t.Errorf("kube/go.mod does not require %s", want)
	}
}

func TestKeyFollowsTheSource(t *testing.T) {
	dir := t.TempDir()
	p := program{name: "thing", version: "v1", dir: ".", sources: []string{"go.sum", "*.go"}, ldflags: "-s"}
	key := func(p program) string {
		t.Helper()
		got, err := p.key(dir)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("main.go", "a")
	first := key(p)
	if !strings.HasPrefix(first, "thing-v1-") || key(p) != first {
		t.Errorf("key is %q, then %q", first, key(p))
	}
	seen := map[string]string{first: "the first"}
	changed := func(what, got string) {
		t.Helper()
		if before, ok := seen[got]; ok {
			t.Errorf("%s has the key of %s", what, before)
		}
		seen[got] = what
	}
	put("main.go", "b")
	changed("another main.go", key(p))
	put("go.sum", "x")
	changed("another go.sum", key(p))
	put("README.md", "x")
	if got := key(p); seen[got] != "another go.sum" {
		t.Error("a file that is not source changes the key")
	}
	p.ldflags = "-w"
	changed("other linker flags", key(p))
}

// ownCache gives a test an empty cache of ours while the compiler keeps its own, which would be beside.
func ownCache(t *testing.T) {
	t.Helper()
	compiled, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOCACHE", strings.TrimSpace(string(compiled)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestFindSaysWhatToDo(t *testing.T) {
	ownCache(t)
	if _, err := Find(source(t)); err == nil || !strings.Contains(err.Error(), "cluster build") {
		t.Errorf("got %v", err)
	}
}

func TestEnsureBuildsOnce(t *testing.T) {
	ownCache(t)
	cache, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	pause := programs()[2]
	pause.links = []string{"also"}
	var said strings.Builder
	dir, err := pause.ensure(t.Context(), source(t), cache, &said)
	if err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(filepath.Join(dir, "also")); err != nil || target != "pause" {
		t.Errorf("the other name leads to %q, %v", target, err)
	}
	if !strings.Contains(said.String(), "built pause") {
		t.Errorf("it says %q", said.String())
	}
	said.Reset()
	if again, err := pause.ensure(t.Context(), source(t), cache, &said); err != nil || again != dir || said.Len() > 0 {
		t.Errorf("the second time: %s, %v, %q", again, err, said.String())
	}
}

func TestEnsureShowsWhatTheCompilerSays(t *testing.T) {
	dir := module(t, "package main\n\nfunc main() { undefinedThing() }\n")
	cache := t.TempDir()
	_, err := program{name: "broken", dir: ".", sources: []string{"*.go"}}.ensure(t.Context(), dir, cache, &strings.Builder{})
	if err == nil || !strings.Contains(err.Error(), "undefined: undefinedThing") {
		t.Errorf("got %v", err)
	}
	entries, readErr := os.ReadDir(cache)
	if readErr != nil || len(entries) != 1 || entries[0].Name() != "lock-broken" {
		t.Errorf("a failed build leaves %v, %v", entries, readErr)
	}
}

// module is a folder with a main package.
func module(t *testing.T, main string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module thing\n", "main.go": main} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
