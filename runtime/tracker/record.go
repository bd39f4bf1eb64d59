package tracker

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/internal/history"
)

// histories are what all dashboards show of the past, which has one bound for all streams.
type histories struct {
	most    int64
	bytes   atomic.Int64
	thinned prometheus.Counter
}

func (s *Server) newHistories() error {
	h := &histories{most: int64(s.cfg.Limits.HistoryBytes), thinned: prometheus.NewCounter(prometheus.CounterOpts{
		Name: "p2pstream_tracker_history_thinned_total", Help: "Times that the history of a stream was made coarser, because all together take too much memory."})}
	for _, c := range []prometheus.Collector{h.thinned, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "p2pstream_tracker_history_bytes",
		Help: "Bytes that the histories of the dashboards take, of all streams, up to limits.historyBytes."}, func() float64 { return float64(h.bytes.Load()) })} {
		if err := s.reg.Register(c); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	s.histories = h
	return nil
}

// fit makes histories smaller until they take no more than they may.
func (h *histories) fit(all []history.Shared) {
	bytes, thinned := history.Fit(all, h.most)
	h.bytes.Store(bytes)
	h.thinned.Add(float64(thinned))
}

// record takes a sample of each stream every ten seconds, for the dashboards, until ctx ends. Without a listener that serves them
// there is nothing to remember.
func (s *streams) record(ctx context.Context) {
	if cfg := s.server.cfg; cfg.AdminListen == "" && !cfg.Dashboard {
		return
	}
	tick := time.NewTicker(history.FineStep)
	defer tick.Stop()
	for {
		s.sample()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sample takes one sample of each stream.
func (s *streams) sample() {
	var all []history.Shared
	var round *dashboard.Round
	if s.network != nil {
		round = s.network.Begin(time.Now())
		all = append(all, s.network.Past)
	}
	s.each(func(st *stream) {
		now := st.viewers.Record()
		all = append(all, st.viewers.Past())
		if round != nil {
			round.Add(st.key.Namespace, st.key.Name, now)
		}
	})
	if round != nil {
		round.End()
	}
	s.server.histories.fit(all)
}
