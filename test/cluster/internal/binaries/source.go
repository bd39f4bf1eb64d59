package binaries

import (
	"errors"
	"os"
	"path/filepath"
)

// SourceVariable names the folder of this module when it cannot be found otherwise.
const SourceVariable = "P2PSTREAM_CLUSTER_SOURCE"

// FindSource finds the folder of this module: named by the environment, above the running program or above the
// working folder.
func FindSource() (string, error) {
	var starts []string
	if named := os.Getenv(SourceVariable); named != "" {
		if isSource(named) {
			return filepath.Abs(named)
		}
		return "", errors.New(SourceVariable + ": no test/cluster module is in " + named)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	for _, dir := range starts {
		for ; ; dir = filepath.Dir(dir) {
			for _, candidate := range []string{dir, filepath.Join(dir, "test", "cluster")} {
				if isSource(candidate) {
					return candidate, nil
				}
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return "", errors.New("the source of the cluster's programs is not found: run from inside the repository, or set " + SourceVariable + " to its test/cluster folder")
}

func isSource(dir string) bool {
	for _, file := range []string{"kube/go.mod", "coredns/go.mod", "pause/main.go"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			return false
		}
	}
	return true
}
