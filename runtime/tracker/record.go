package tracker

import (
	"context"
	"time"

	"github.com/p2pstream/p2pstream/internal/history"
)

// record takes a sample of each stream every ten seconds, for the dashboards, until ctx ends. Without a listener that serves them
// there is nothing to remember.
func (s *streams) record(ctx context.Context) {
	if cfg := s.server.cfg; cfg.AdminListen == "" && !cfg.Dashboard {
		return
	}
	tick := time.NewTicker(history.FineStep)
	defer tick.Stop()
	for {
		s.each(func(st *stream) { st.viewers.Record() })
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
