package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// Cgroups finds out how the machine mounts cgroups.
func Cgroups() (plan.Cgroups, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return plan.Cgroups{}, fmt.Errorf("reading mounts: %w", err)
	}
	return plan.ParseCgroups(string(mounts))
}

// MakeCgroup makes a folder of this name in every hierarchy and gives it what the kubelet needs there.
func MakeCgroup(cgroups plan.Cgroups, name string) error {
	for _, root := range cgroups.Roots {
		dir := filepath.Join(root, name)
		if cgroups.Mode == plan.CgroupV2 {
			if err := handDown(root); err != nil {
				return err
			}
		}
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("making cgroup: %w", err)
		}
		if cgroups.Mode == plan.CgroupV2 {
			if err := handDown(dir); err != nil {
				return err
			}
			continue
		}
		// A new version 1 cpuset is empty, and an empty one accepts no process.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if err := inherit(root, dir, file); err != nil {
				return err
			}
		}
	}
	return nil
}

func inherit(root, dir, file string) error {
	value, err := os.ReadFile(filepath.Join(root, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading cgroup: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, file), value, 0o644); err != nil {
		return fmt.Errorf("writing cgroup: %w", err)
	}
	return nil
}

// handDown enables the controllers of a version 2 cgroup in the folders below it.
func handDown(dir string) error {
	available, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("reading cgroup: %w", err)
	}
	control := filepath.Join(dir, "cgroup.subtree_control")
	enabled, err := os.ReadFile(control)
	if err != nil {
		return fmt.Errorf("reading cgroup: %w", err)
	}
	writes, err := plan.EnableV2(string(available), string(enabled))
	if err != nil {
		return fmt.Errorf("cgroup %s: %w", dir, err)
	}
	for _, write := range writes {
		err := os.WriteFile(control, []byte(write), 0o644)
		switch {
		case errors.Is(err, unix.EBUSY):
			return fmt.Errorf("%s holds processes, so the kernel hands no controllers down from it: run in the machine's own cgroup namespace (docker run --cgroupns=host)", dir)
		case err != nil && slices.Contains(plan.NeededV2(), strings.TrimPrefix(write, "+")):
			return fmt.Errorf("writing %s to %s: %w", write, control, err)
		}
	}
	return nil
}

// RemoveCgroups removes the folders whose names begin with prefix from every hierarchy, with all below,
// waiting for processes that are still dying.
func RemoveCgroups(cgroups plan.Cgroups, prefix string) error {
	deadline := time.Now().Add(10 * time.Second)
	for _, root := range slices.Concat(cgroups.Roots, cgroups.Beside) {
		dirs, err := filepath.Glob(filepath.Join(root, prefix+"*"))
		if err != nil {
			return fmt.Errorf("listing cgroups: %w", err)
		}
		for _, dir := range dirs {
			for {
				err := removeTree(dir)
				if err == nil || errors.Is(err, fs.ErrNotExist) {
					break
				}
				if time.Now().After(deadline) {
					return fmt.Errorf("removing cgroup: %w", err)
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	return nil
}

// removeTree removes folders only: the files of a cgroup go with its folder.
func removeTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeTree(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(dir)
}
