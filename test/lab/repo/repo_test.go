package repo

import (
	"os"
	"strings"
	"testing"
)

func TestPathFindsFilesFromAnyFolderBelowTheRoot(t *testing.T) {
	for _, dir := range []string{".", "..", "../../deploy"} {
		t.Run(dir, func(t *testing.T) {
			t.Chdir(dir)
			path, err := Path("cmd", "p2pstream", "main.go")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPathOutsideOfTheRepositoryFails(t *testing.T) {
	t.Chdir(t.TempDir())
	if path, err := Path("go.mod"); err == nil || !strings.Contains(err.Error(), "inside of the repository") {
		t.Errorf("Path = %q, %v, want an error that names the next step", path, err)
	}
}
