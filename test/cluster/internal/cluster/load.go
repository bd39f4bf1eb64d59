package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/host"
	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

// LoadImages gives OCI archives to every node of a cluster.
func LoadImages(ctx context.Context, name string, files []string, out io.Writer) error {
	s, err := Load(name)
	if err != nil {
		return err
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("loading image: %w", err)
		}
		_, _ = fmt.Fprintf(out, "loading %s (%.1f MB) into %d nodes…\n", filepath.Base(file), float64(info.Size())/1e6, s.NodeCount)
		if err := s.loadEverywhere(ctx, file, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) loadEverywhere(ctx context.Context, file string, out io.Writer) error {
	nodes := s.Nodes()
	errs := make([]error, len(nodes))
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for i, n := range nodes {
		wg.Go(func() {
			names, err := importArchive(ctx, s.Paths(), n, file)
			if err != nil {
				errs[i] = fmt.Errorf("loading %s on %s: %w", file, n.Name, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			_, _ = fmt.Fprintf(out, "  %s: %s (%.1fs)\n", n.Name, strings.Join(names, ", "), time.Since(began).Seconds())
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// importArchive gives one node an archive and returns the names of its images.
func importArchive(ctx context.Context, p plan.Paths, n plan.Node, file string) ([]string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("finding archive: %w", err)
	}
	said, err := host.Run(ctx, "", "", "ctr", "--address", p.Socket(n.Name), "--namespace", "k8s.io", "images", "import", "--all-platforms=false", file)
	if err != nil {
		return nil, err
	}
	names := importedNames(said)
	if len(names) == 0 {
		return nil, fmt.Errorf("%s names no image: its index.json needs the annotation io.containerd.image.name, such as localhost/NAME:TAG", file)
	}
	return names, nil
}

// importedNames reads what `ctr images import` says: "unpacking NAME (DIGEST)...done".
func importedNames(said string) []string {
	var names []string
	for line := range strings.Lines(said) {
		if rest, ok := strings.CutPrefix(line, "unpacking "); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				names = append(names, fields[0])
			}
		}
	}
	return names
}
