package lab

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Module is the path of the module whose programs are tested.
const Module = "github.com/p2pstream/p2pstream"

// Root is the folder of the module: the first one upwards from the working directory whose go.mod names it. Tests run
// in the folder of their package. Modules inside of it, such as test/cluster, are passed over.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the module's root: %w", err)
	}
	for at := dir; ; at = filepath.Dir(at) {
		name, err := moduleOf(filepath.Join(at, "go.mod"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("finding the module's root: %w", err)
		}
		if name == Module {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("finding the module's root: no go.mod of %s in %s or above", Module, dir)
		}
	}
}

// moduleOf reads the module's name from a go.mod.
func moduleOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", lines.Err()
}
