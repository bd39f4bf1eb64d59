package viewer

import (
	"fmt"
	"log/slog"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

// viewer is one synthetic viewer.
type viewer struct {
	id int
	*client.Client
}

func newViewer(id int, cfg Config, log *slog.Logger, reg prometheus.Registerer) (*viewer, error) {
	c, err := client.New(cfg.Client(), func(e *loader.Config) { e.Select = selector(cfg.Renditions) }, log.With("viewer", id), reg)
	if err != nil {
		return nil, fmt.Errorf("creating viewer %d: %w", id, err)
	}
	return &viewer{id: id, Client: c}, nil
}

func selector(names []string) func([]manifest.Rendition) []manifest.Rendition {
	if len(names) == 0 {
		return nil
	}
	return func(all []manifest.Rendition) []manifest.Rendition {
		var out []manifest.Rendition
		for _, r := range all {
			if slices.Contains(names, r.Name) || slices.Contains(names, AllRenditions) {
				out = append(out, r)
			}
		}
		return out
	}
}
