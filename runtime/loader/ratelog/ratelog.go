// Package ratelog limits the rate of log lines that an origin or a peer can cause.
package ratelog

import (
	"log/slog"

	"golang.org/x/time/rate"
)

// Log writes at most one line per second after the first five; further lines are dropped.
type Log struct {
	log     *slog.Logger
	limiter *rate.Limiter
}

// New returns a rate-limited log that writes to log.
func New(log *slog.Logger) *Log { return &Log{log: log, limiter: rate.NewLimiter(1, 5)} }

// Info writes a line at level info, unless the limit is reached.
func (l *Log) Info(msg string, args ...any) {
	if l.limiter.Allow() {
		l.log.Info(msg, args...)
	}
}

// Warn writes a line at level warn, unless the limit is reached.
func (l *Log) Warn(msg string, args ...any) {
	if l.limiter.Allow() {
		l.log.Warn(msg, args...)
	}
}
