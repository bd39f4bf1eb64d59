package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A stamp remembers in the user's cache folder what a suite last succeeded with on this machine.
type stamp struct{ file string }

func newStamp(suite string) (stamp, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return stamp{}, fmt.Errorf("finding the cache folder: %w; set XDG_CACHE_HOME", err)
	}
	return stamp{filepath.Join(cache, "p2pstream", "test", suite)}, nil
}

// is reports whether the last success was with this fingerprint.
func (s stamp) is(fingerprint string) (bool, error) {
	last, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the last success: %w", err)
	}
	return strings.TrimSpace(string(last)) == fingerprint, nil
}

// set records a success.
func (s stamp) set(fingerprint string) error {
	if err := os.MkdirAll(filepath.Dir(s.file), 0o755); err != nil { //nolint:gosec // holds no secret
		return fmt.Errorf("recording a success: %w", err)
	}
	if err := os.WriteFile(s.file, []byte(fingerprint+"\n"), 0o644); err != nil { //nolint:gosec // holds no secret
		return fmt.Errorf("recording a success: %w", err)
	}
	return nil
}

// fingerprint names the content of the folders below root, the Go version and the kernel.
func fingerprint(ctx context.Context, root string, folders []string) (string, error) {
	hash := sha256.New()
	goVersion, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return "", fmt.Errorf("asking for the Go version: %w", err)
	}
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", fmt.Errorf("asking for the kernel's version: %w", err)
	}
	_, _ = fmt.Fprintf(hash, "%s%s", goVersion, kernel)
	tree := os.DirFS(root)
	for _, folder := range folders {
		if err := hashFolder(hash, tree, folder); err != nil {
			return "", fmt.Errorf("hashing %s: %w", folder, err)
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// hashFolder adds the names, modes and bytes of a folder's files, in the order of their names.
func hashFolder(w io.Writer, tree fs.FS, folder string) error {
	return fs.WalkDir(tree, folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		content, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(w, "%q %o %d\n", name, info.Mode().Perm()&0o111, len(content))
		_, err = w.Write(content)
		return err
	})
}
