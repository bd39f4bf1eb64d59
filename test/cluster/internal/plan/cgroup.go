package plan

import (
	"fmt"
	"slices"
	"strings"
)

// CgroupMode is how the machine mounts cgroups.
type CgroupMode string

const (
	// CgroupV1 has one hierarchy per controller, perhaps with an empty version 2 beside them.
	CgroupV1 CgroupMode = "v1"
	// CgroupV2 has one hierarchy for all.
	CgroupV2 CgroupMode = "v2"
)

// Cgroups is where a node's folders have to be made.
type Cgroups struct {
	Mode CgroupMode
	// Roots are the mount points of the hierarchies that nodes need folders in: one for version 2.
	Roots []string
	// Beside are hierarchies in which container runtimes make folders of their own accord: a version 2
	// beside version 1 controllers.
	Beside []string
}

// kernelControllers are what version 1 mount options name besides flags.
var kernelControllers = []string{"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "net_cls", "blkio", "perf_event", "net_prio", "hugetlb", "pids", "rdma", "misc"}

// neededV2 are the controllers that a kubelet on version 2 refuses to run without.
var neededV2 = []string{"cpu", "cpuset", "memory", "pids"}

// ParseCgroups reads /proc/mounts. Version 2 counts only when nothing mounts a version 1 controller:
// on a machine with both, the version 2 hierarchy has no controllers to offer. A named hierarchy
// without a controller (systemd's) is included, since runc joins every one of them.
func ParseCgroups(mounts string) (Cgroups, error) {
	var v1 []string
	var v2 string
	controllers := false
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		point, kind, options := unescape(fields[1]), fields[2], strings.Split(fields[3], ",")
		switch {
		case kind == "cgroup2" && v2 == "":
			v2 = point
		case kind == "cgroup" && !slices.Contains(v1, point):
			v1 = append(v1, point)
			controllers = controllers || slices.ContainsFunc(options, func(o string) bool { return slices.Contains(kernelControllers, o) })
		}
	}
	switch {
	case controllers:
		cgroups := Cgroups{Mode: CgroupV1, Roots: v1}
		if v2 != "" {
			cgroups.Beside = []string{v2}
		}
		return cgroups, nil
	case v2 == "/sys/fs/cgroup":
		return Cgroups{Mode: CgroupV2, Roots: []string{v2}}, nil
	case v2 != "":
		return Cgroups{}, fmt.Errorf("cgroup2 is mounted on %s and no version 1 controller anywhere: mount it on /sys/fs/cgroup", v2)
	}
	return Cgroups{}, fmt.Errorf("no cgroups are mounted: mount -t cgroup2 none /sys/fs/cgroup")
}

// EnableV2 is what to write, one at a time, into cgroup.subtree_control so that the folders below get
// the controllers that cgroup.controllers offers and the control file does not yet hand down.
func EnableV2(available, enabled string) ([]string, error) {
	have, on := strings.Fields(available), strings.Fields(enabled)
	var missing, writes []string
	for _, need := range neededV2 {
		if !slices.Contains(have, need) {
			missing = append(missing, need)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("cgroup controllers %s are not available: boot without systemd.unified_cgroup_hierarchy=0 and cgroup_disable, or let this container have them", strings.Join(missing, ", "))
	}
	for _, controller := range have {
		if !slices.Contains(on, controller) {
			writes = append(writes, "+"+controller)
		}
	}
	return writes, nil
}

// unescape undoes the octal escapes of /proc/mounts.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// NeededV2 lists the controllers that a kubelet on version 2 refuses to run without.
func NeededV2() []string { return slices.Clone(neededV2) }
