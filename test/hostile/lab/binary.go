package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is what Main built, or was told of.
var binary string

// Main builds the binary, runs the tests of a package and returns the exit code; TestMain ends with it.
// P2PSTREAM_BINARY names one that is built already.
func Main(m *testing.M) int {
	binary = os.Getenv("P2PSTREAM_BINARY")
	if binary == "" {
		dir, err := os.MkdirTemp("", "p2pstream-hostile")
		if err != nil {
			return fail("making a directory for the binary: %v", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binary = filepath.Join(dir, "p2pstream")
		build := exec.Command("go", "build", "-o", binary, "github.com/p2pstream/p2pstream/cmd/p2pstream")
		if out, err := build.CombinedOutput(); err != nil {
			return fail("building the programs: %v\n%s", err, out)
		}
	}
	return m.Run()
}

func fail(format string, args ...any) int {
	_, _ = fmt.Fprintf(os.Stderr, format+"\n", args...)
	return 1
}
