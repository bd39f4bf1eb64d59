package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
)

// settings are the machine's, and programs of a node like to write them.
var settings = []string{
	"/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom",
	"/proc/sys/kernel/panic", "/proc/sys/kernel/panic_on_oops", "/proc/sys/kernel/keys/root_maxkeys",
}

// folders are where programs of a node like to write at fixed paths.
var folders = []string{
	"/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers", "/run/containerd", "/etc/cni", "/etc/kubernetes", "/run/flannel",
}

// machine is what a cluster must not change.
func machine(t *testing.T) map[string]string {
	t.Helper()
	state := map[string]string{}
	for _, file := range settings {
		value, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		state[file] = strings.TrimSpace(string(value))
	}
	for _, dir := range folders {
		if _, err := os.Stat(dir); err == nil {
			state[dir] = "there"
		}
	}
	return state
}

// leftovers lists all that carries the name of one of our clusters.
func leftovers(t *testing.T, prefix string) []string {
	t.Helper()
	var left []string
	keep := func(kind, line string) {
		if strings.Contains(line, "p2pstream-"+prefix) || strings.Contains(line, "p2pstream-cluster/"+prefix) || strings.Contains(line, prefix+"-wan") {
			left = append(left, kind+": "+line)
		}
	}
	for kind, command := range map[string][]string{
		"link":  {"ip", "-brief", "link"},
		"route": {"ip", "route", "show", "table", "all"},
		"netns": {"ip", "netns"},
		"nft":   {"nft", "list", "ruleset"},
	} {
		out, err := exec.Command(command[0], command[1:]...).Output()
		if err != nil {
			t.Fatalf("%v: %v", command, err)
		}
		for line := range strings.Lines(string(out)) {
			keep(kind, strings.TrimSpace(line))
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		keep("mount", line)
	}
	processes, err := host.Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		keep("process", strings.Join(p.Args, " "))
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup/*/*", "/var/lib/p2pstream-cluster/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			keep("file", name)
		}
	}
	return left
}
