package mesh

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
	"golang.org/x/time/rate"
)

// pionLogs sends what pion says to the debug level: its warnings are mostly about what strangers send.
type pionLogs struct{ log *slog.Logger }

var _ logging.LoggerFactory = pionLogs{}

func (f pionLogs) NewLogger(scope string) logging.LeveledLogger {
	return &pionLog{log: f.log, scope: scope}
}

type pionLog struct {
	log   *slog.Logger
	scope string
}

func (l *pionLog) printf(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("webrtc: "+fmt.Sprintf(format, args...), "scope", l.scope)
	}
}

func (l *pionLog) Trace(string)              {}
func (l *pionLog) Tracef(string, ...any)     {}
func (l *pionLog) Debug(string)              {}
func (l *pionLog) Debugf(string, ...any)     {}
func (l *pionLog) Info(string)               {}
func (l *pionLog) Infof(string, ...any)      {}
func (l *pionLog) Warn(msg string)           { l.printf("%s", msg) }
func (l *pionLog) Warnf(f string, a ...any)  { l.printf(f, a...) }
func (l *pionLog) Error(msg string)          { l.printf("%s", msg) }
func (l *pionLog) Errorf(f string, a ...any) { l.printf(f, a...) }

// limitedLog keeps a stranger from filling the log: one line per second after the first few.
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
