package program

import (
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/p2pstream/p2pstream/test/lab"
)

// Binary is the path of p2pstream that all suites run: P2PSTREAM_BINARY, or one built once by this process, with the
// flags of `make build`. Go's build cache makes that cheap, and the file is written anew only if the code has changed.
var Binary = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("P2PSTREAM_BINARY"); path != "" {
		return path, nil
	}
	path, err := build()
	if err != nil {
		return "", fmt.Errorf("building p2pstream: %w", err)
	}
	return path, nil
})

// BinaryFor is Binary for tests.
func BinaryFor(t testing.TB) string {
	t.Helper()
	return lab.Must[string](t)(Binary())
}

func build() (string, error) {
	root, err := lab.Root()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	// One for each checkout, so that two do not overwrite what the other runs.
	checkout := fnv.New64a()
	_, _ = checkout.Write([]byte(root)) // a hash takes everything
	dir := filepath.Join(cache, "p2pstream", "lab", fmt.Sprintf("%x", checkout.Sum(nil)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "p2pstream")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/p2pstream")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, out)
	}
	return path, errors.Join(err, unlock())
}
