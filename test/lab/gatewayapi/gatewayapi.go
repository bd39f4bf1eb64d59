// Package gatewayapi finds the CRDs of the Gateway API, for clusters of tests. They come with the module whose types the operator
// uses, so that no copy of them can be of another version.
package gatewayapi

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/p2pstream/p2pstream/test/lab"
)

// CRDs are the files of resources, such as httproutes, of the standard channel.
func CRDs(ctx context.Context, resources ...string) ([]string, error) {
	root, err := lab.Root()
	if err != nil {
		return nil, err
	}
	list := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api")
	list.Dir = root
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("finding the module of the Gateway API: %w", err)
	}
	files := make([]string, 0, len(resources))
	for _, resource := range resources {
		file := filepath.Join(strings.TrimSpace(string(out)), "config", "crd", "standard", "gateway.networking.k8s.io_"+resource+".yaml")
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("finding a CRD of the Gateway API: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}
