package plan

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCgroups(t *testing.T) {
	tests := []struct {
		file string
		want Cgroups
	}{
		{"debian12-v2", Cgroups{Mode: CgroupV2, Roots: []string{"/sys/fs/cgroup"}}},
		{"v1-each-alone", Cgroups{
			Mode:   CgroupV1,
			Roots:  []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpuset", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/systemd"},
			Beside: []string{"/sys/fs/cgroup/unified"},
		}},
		{"v1-joined", Cgroups{
			Mode:  CgroupV1,
			Roots: []string{"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/memory"},
		}},
		// systemd's own hierarchy is version 1 in form, but has no controller: version 2 has them all.
		{"v2-with-named-v1", Cgroups{Mode: CgroupV2, Roots: []string{"/sys/fs/cgroup"}}},
		{"v1-mounted-twice", Cgroups{Mode: CgroupV1, Roots: []string{"/sys/fs/cgroup/memory", "/mnt/with space/memory"}}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			mounts, err := os.ReadFile(filepath.Join("testdata", "mounts", test.file))
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseCgroups(string(mounts))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestParseCgroupsRefuses(t *testing.T) {
	for name, mounts := range map[string]string{
		"none":           "proc /proc proc rw 0 0\n",
		"empty":          "",
		"short lines":    "a b\nc\n",
		"v2 in no place": "cgroup2 /mnt/cg cgroup2 rw 0 0\n",
		"unified only":   "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\ncgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\n",
	} {
		if got, err := ParseCgroups(mounts); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestEnableV2(t *testing.T) {
	tests := []struct {
		name, available, enabled string
		want                     []string
	}{
		{"as systemd leaves it", "cpuset cpu io memory hugetlb pids rdma misc\n", "cpu memory pids\n", []string{"+cpuset", "+io", "+hugetlb", "+rdma", "+misc"}},
		{"nothing handed down yet", "cpuset cpu io memory pids\n", "\n", []string{"+cpuset", "+cpu", "+io", "+memory", "+pids"}},
		{"all there", "cpuset cpu memory pids\n", "cpuset cpu memory pids\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := EnableV2(test.available, test.enabled)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	if got, err := EnableV2("cpu io memory\n", "cpu\n"); err == nil {
		t.Errorf("without cpuset and pids: got %v", got)
	}
}
