package mesh

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLogs logs what pion says at level debug: its warnings are mostly about what unauthenticated hosts send.
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
