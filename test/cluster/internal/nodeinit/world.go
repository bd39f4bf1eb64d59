package nodeinit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// arrange makes the node's view of the machine's files.
func arrange(spec plan.NodeSpec) error {
	// Mounts of the node must not reach the machine; the node's own pods may share them among each other.
	for _, flags := range []uintptr{unix.MS_SLAVE, unix.MS_SHARED} {
		if err := unix.Mount("", "/", "", flags|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("separating mounts: %w", err)
		}
	}
	kept, err := hold(spec.Keep)
	if err != nil {
		return err
	}
	for _, dir := range spec.Hide {
		if err := unix.Mount("p2pstream", dir, "tmpfs", 0, "mode=0755"); err != nil {
			return fmt.Errorf("hiding %s: %w", dir, err)
		}
	}
	for dir, fd := range kept {
		if err := show(spec.Hide, dir, fd); err != nil {
			return err
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	return pretend(spec.Scratch, spec.Pretend)
}

// hold opens folders before others are mounted over them.
func hold(dirs []string) (map[string]int, error) {
	held := map[string]int{}
	for _, dir := range dirs {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", dir, err)
		}
		held[dir] = fd
	}
	return held, nil
}

// show mounts a held folder at its path again if a folder above it is hidden.
func show(hidden []string, dir string, fd int) error {
	defer func() { _ = unix.Close(fd) }()
	for _, h := range hidden {
		if !strings.HasPrefix(dir, h+"/") {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making %s: %w", dir, err)
		}
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", fd), dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("showing %s: %w", dir, err)
		}
	}
	return nil
}

// pretend mounts files over kernel settings. A setting that this kernel lacks is left out.
func pretend(scratch string, settings map[string]string) error {
	for path, value := range settings {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		file := filepath.Join(scratch, strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "."))
		if err := os.MkdirAll(scratch, 0o700); err != nil {
			return fmt.Errorf("making folder: %w", err)
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing setting: %w", err)
		}
		if err := unix.Mount(file, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("covering %s: %w", path, err)
		}
	}
	return nil
}
