package main

import (
	"context"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
)

// server is one program of this binary.
type server interface{ Run(context.Context) error }

// serve creates a program from its configuration and runs it until a signal. An
// invalid configuration is a usage error; every other error is a failure.
func serve[C interface{ Validate() error }, S server](
	c *cobra.Command, log *logFlags, cfg C,
	newServer func(C, *slog.Logger, prometheus.Registerer) (S, error),
) error {
	if err := cfg.Validate(); err != nil {
		return &usageError{err}
	}
	logger, err := log.logger(c.ErrOrStderr())
	if err != nil {
		return err
	}
	s, err := newServer(cfg, logger, newRegistry())
	if err != nil {
		return err
	}
	return s.Run(c.Context())
}

func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// tradeMemoryForCPU lets the heap grow further between garbage collections, which
// saves a tenth of the CPU of programs that process many small packets. GOGC, if
// set, takes precedence.
func tradeMemoryForCPU() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(300)
	}
}

// limitMemory makes the runtime collect garbage more often once the program comes near the memory that it needs, in
// bytes. Otherwise a heap that may grow to four times what is live would take four times the cache. GOMEMLIMIT, which
// pods have, takes precedence.
func limitMemory(needed int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(needed - needed/10)
	}
}
