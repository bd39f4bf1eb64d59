package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// Plain folders stand in for the kernel's here: what is tested is which files are read and written.
func TestMakeCgroupV2(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "cgroup.controllers"), "cpuset cpu memory pids\n")
	write(t, filepath.Join(root, "cgroup.subtree_control"), "cpuset cpu memory\n")
	dir := filepath.Join(root, "node")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cgroup.controllers"), "cpuset cpu memory pids\n")
	write(t, filepath.Join(dir, "cgroup.subtree_control"), "cpuset cpu pids\n")
	if err := MakeCgroup(plan.Cgroups{Mode: plan.CgroupV2, Roots: []string{root}}, "node"); err != nil {
		t.Fatal(err)
	}
	expect(t, filepath.Join(root, "cgroup.subtree_control"), "+pids")
	expect(t, filepath.Join(dir, "cgroup.subtree_control"), "+memory")
}

func TestMakeCgroupV2SaysWhatIsMissing(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "cgroup.controllers"), "cpu pids\n")
	write(t, filepath.Join(root, "cgroup.subtree_control"), "")
	err := MakeCgroup(plan.Cgroups{Mode: plan.CgroupV2, Roots: []string{root}}, "node")
	if err == nil || !strings.Contains(err.Error(), "cpuset, memory") {
		t.Errorf("got %v", err)
	}
}

func TestMakeCgroupV1(t *testing.T) {
	cpuset, memory := t.TempDir(), t.TempDir()
	write(t, filepath.Join(cpuset, "cpuset.cpus"), "0-1\n")
	write(t, filepath.Join(cpuset, "cpuset.mems"), "0\n")
	if err := MakeCgroup(plan.Cgroups{Mode: plan.CgroupV1, Roots: []string{cpuset, memory}}, "node"); err != nil {
		t.Fatal(err)
	}
	expect(t, filepath.Join(cpuset, "node", "cpuset.cpus"), "0-1\n")
	expect(t, filepath.Join(cpuset, "node", "cpuset.mems"), "0\n")
	if entries, err := os.ReadDir(filepath.Join(memory, "node")); err != nil || len(entries) != 0 {
		t.Errorf("memory/node holds %v, %v", entries, err)
	}
}

func TestRemoveCgroups(t *testing.T) {
	root, beside := t.TempDir(), t.TempDir()
	for _, dir := range []string{"p2pstream-a-n1/kubepods/pod1", "p2pstream-a-n2", "p2pstream-ab-n1", "user.slice"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(beside, "p2pstream-a-n1"), 0o755); err != nil {
		t.Fatal(err)
	}
	cgroups := plan.Cgroups{Mode: plan.CgroupV1, Roots: []string{root}, Beside: []string{beside}}
	if err := RemoveCgroups(cgroups, plan.Cluster{Name: "a"}.NetnsPrefix()); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{root: "p2pstream-ab-n1 user.slice", beside: ""} {
		var left []string
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			left = append(left, entry.Name())
		}
		if got := strings.Join(left, " "); got != want {
			t.Errorf("left %q, want %q", got, want)
		}
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, file, want string) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("%s holds %q, %v; want %q", file, got, err, want)
	}
}
