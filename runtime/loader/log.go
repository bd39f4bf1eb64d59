package loader

import (
	"log/slog"

	"golang.org/x/time/rate"
)

// limitedLog keeps an origin, or a peer, from filling the log: one line per second after the first few.
type limitedLog struct {
	log     *slog.Logger
	limiter *rate.Limiter
}

func newLimitedLog(log *slog.Logger) *limitedLog {
	return &limitedLog{log: log, limiter: rate.NewLimiter(1, 5)}
}

func (l *limitedLog) info(msg string, args ...any) {
	if l.limiter.Allow() {
		l.log.Info(msg, args...)
	}
}

func (l *limitedLog) warn(msg string, args ...any) {
	if l.limiter.Allow() {
		l.log.Warn(msg, args...)
	}
}
