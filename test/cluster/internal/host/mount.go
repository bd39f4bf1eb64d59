package host

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// UnmountBelow detaches everything mounted on or below a folder, the deepest first.
func UnmountBelow(dir string) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("listing mounts: %w", err)
	}
	points := mountsBelow(string(info), dir)
	slices.Reverse(points)
	for _, point := range points {
		if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmounting %s: %w", point, err)
		}
	}
	return nil
}

var mountEscapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// mountsBelow keeps the order of mountinfo, in which a mount comes after what it is mounted on.
func mountsBelow(mountinfo, dir string) []string {
	var points []string
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := mountEscapes.Replace(fields[4])
		if point == dir || strings.HasPrefix(point, dir+"/") {
			points = append(points, point)
		}
	}
	return points
}

// Snapshotter says how containers get their root file systems below a folder: by overlay where the file
// system can carry one, else by copies.
func Snapshotter(dir string) (string, error) {
	scratch, err := os.MkdirTemp(dir, "overlay-")
	if err != nil {
		return "", fmt.Errorf("making scratch folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	sub := func(name string) string { return filepath.Join(scratch, name) }
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(sub(name), 0o700); err != nil {
			return "", fmt.Errorf("making scratch folder: %w", err)
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", sub("lower"), sub("upper"), sub("work"))
	if err := unix.Mount("overlay", sub("merged"), "overlay", 0, options); err != nil {
		return "native", nil
	}
	if err := unix.Unmount(sub("merged"), 0); err != nil {
		return "", fmt.Errorf("unmounting scratch overlay: %w", err)
	}
	return "overlayfs", nil
}
