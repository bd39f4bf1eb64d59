package viewer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/p2pstream/p2pstream/runtime/loader"
)

// Server runs synthetic viewers.
type Server struct {
	cfg   Config
	log   *slog.Logger
	reg   prometheus.Registerer // nil: what the viewers count stays private
	ready chan struct{}

	mu      sync.Mutex
	started time.Time
	viewers []*viewer
}

// New returns the viewers; nothing is fetched or joined before Run. A nil logger discards; reg may be nil.
func New(cfg Config, log *slog.Logger, reg prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Server{cfg: cfg.withDefaults(), log: log, reg: reg, started: time.Now(), ready: make(chan struct{})}
	if reg != nil {
		if err := errors.Join(reg.Register(&collector{s}), reg.Register(loader.NewCollector(s.engines))); err != nil {
			return nil, fmt.Errorf("registering metrics: %w", err)
		}
	}
	return s, nil
}

// Run starts one viewer after the other and plays until the configured
// duration is over or ctx ends. The first viewer that fails ends all.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	s.started = time.Now()
	s.mu.Unlock()
	if s.cfg.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.Duration.Std())
		defer cancel()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	// The first viewer that fails ends the others. The cause of ctx cannot be used: a signal is a cause, too, but no failure.
	var failed error
	var first sync.Once
	close(s.ready)
	next := time.NewTicker(s.cfg.JoinInterval.Std())
	defer next.Stop()
	for i := range s.cfg.Count {
		v, err := newViewer(i+1, s.cfg, s.log, s.reg)
		if err != nil {
			first.Do(func() { failed = err })
			stop()
			break
		}
		s.mu.Lock()
		s.viewers = append(s.viewers, v)
		s.mu.Unlock()
		work.Go(func() {
			if err := v.Run(ctx); err != nil {
				first.Do(func() { failed = err })
				stop()
			}
		})
		if i == s.cfg.Count-1 {
			break
		}
		select {
		case <-next.C:
		case <-ctx.Done():
		}
	}
	<-ctx.Done()
	work.Wait()
	return failed
}

// engines are those of all viewers.
func (s *Server) engines() []*loader.Engine {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*loader.Engine, 0, len(s.viewers))
	for _, v := range s.viewers {
		all = append(all, v.Engine())
	}
	return all
}

// Ready is closed once the first viewer starts.
func (s *Server) Ready() <-chan struct{} { return s.ready }
