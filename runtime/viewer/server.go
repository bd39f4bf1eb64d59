package viewer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Server runs synthetic viewers.
type Server struct {
	cfg     Config
	log     *slog.Logger
	started time.Time
	ready   chan struct{}

	mu      sync.Mutex
	viewers []*viewer
}

// New makes the viewers; nothing is fetched or joined before Run.
func New(cfg Config, log *slog.Logger, _ prometheus.Registerer) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &Server{cfg: cfg.withDefaults(), log: log, started: time.Now(), ready: make(chan struct{})}, nil
}

// Run starts one viewer after the other and plays until the configured
// duration is over or ctx ends. The first viewer that cannot go on ends all.
func (s *Server) Run(ctx context.Context) error {
	s.started = time.Now()
	if s.cfg.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.Duration.Std())
		defer cancel()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	// The first viewer that fails ends the others. ctx's own cause would not do: a signal is a cause too, and no failure.
	var failed error
	var first sync.Once
	close(s.ready)
	next := time.NewTicker(s.cfg.JoinInterval.Std())
	defer next.Stop()
	for i := range s.cfg.Count {
		v, err := newViewer(i+1, s.cfg, s.log)
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

// Ready is closed once the first viewer starts.
func (s *Server) Ready() <-chan struct{} { return s.ready }
