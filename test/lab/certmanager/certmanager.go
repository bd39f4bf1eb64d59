// Package certmanager has the CRD of cert-manager's Certificate, for clusters of tests. It is the real one, of the version that the file
// names.
package certmanager

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/p2pstream/p2pstream/test/lab"
)

// CRD is the file of the resource.
func CRD() (string, error) {
	root, err := lab.Root()
	if err != nil {
		return "", err
	}
	file := filepath.Join(root, "test", "lab", "certmanager", "cert-manager.io_certificates.yaml")
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("finding the CRD of cert-manager: %w", err)
	}
	return file, nil
}
