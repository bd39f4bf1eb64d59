// Package repo finds the files of this repository that tests and their tools read, such as what make has built.
package repo

import (
	"fmt"
	"os"
	"path/filepath"
)

// Path is the absolute path of a file or folder, given by the parts of its path below the root of the
// repository. It is looked for from the working directory upwards, which is the folder of the package in a test,
// since a binary that is built with -trimpath does not know where its sources are.
func Path(parts ...string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for from := dir; ; {
		// Other modules of the repository have a go.mod of their own, but no Makefile.
		if isFile(filepath.Join(dir, "go.mod")) && isFile(filepath.Join(dir, "Makefile")) {
			return filepath.Join(append([]string{dir}, parts...)...), nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("finding the repository: no go.mod beside a Makefile in %s or above; run the tests inside of the repository", from)
		}
		dir = up
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
