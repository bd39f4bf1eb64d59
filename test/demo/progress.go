package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// stalledError is the cause of a stop: the program made no progress for as long as the limit.
type stalledError struct {
	limit time.Duration
	last  string // the last line that showed progress; empty: there was none
}

func (e *stalledError) Error() string {
	text := fmt.Sprintf("no progress for %s", elapsed(e.limit))
	if e.last != "" {
		text += "; last progress: " + e.last
	}
	return text
}

// watchdog stops a program that makes no progress. However long the program takes, it runs on while
// its output keeps changing.
type watchdog struct {
	limit time.Duration
	stop  context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer
	state string // the last line without its times
	last  string
}

// watchProgress returns a context that ends, with a stalledError as its cause, when the watchdog sees no
// progress for limit. Call end to release it.
func watchProgress(ctx context.Context, limit time.Duration) (context.Context, *watchdog) {
	ctx, stop := context.WithCancelCause(ctx)
	w := &watchdog{limit: limit, stop: stop}
	w.timer = time.AfterFunc(limit, w.expire)
	return ctx, w
}

// saw takes a line of output. A line that differs from the one before only in a time is no progress: some
// programs print the time that has passed while they wait.
func (w *watchdog) saw(line string) {
	line = strings.TrimSpace(line)
	state := times.ReplaceAllString(line, "")
	w.mu.Lock()
	defer w.mu.Unlock()
	if state == w.state {
		return
	}
	w.state, w.last = state, line
	w.timer.Reset(w.limit)
}

// times are durations as Go and people write them: 8m20s, 1.5s, 90 s.
var times = regexp.MustCompile(`\b(\d+(\.\d+)?(h|m|ms|s))+\b|\b\d+ (s|seconds|min|minutes)\b`)

func (w *watchdog) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stop(&stalledError{w.limit, w.last})
}

// end releases what the watchdog holds.
func (w *watchdog) end() {
	w.timer.Stop()
	w.stop(nil)
}

// packageCounter turns the output of `go build -v`, a line for each package, into a count.
type packageCounter struct{ compiled, total int }

// packageLine is a line of `go build -v` that only names a package.
var packageLine = regexp.MustCompile(`^[A-Za-z0-9._~/-]+$`)

// describe returns what to show for a line.
func (c *packageCounter) describe(line string) string {
	if !packageLine.MatchString(line) {
		return line
	}
	if c.compiled++; c.compiled >= c.total {
		return fmt.Sprintf("%d of %d packages compiled, linking", c.compiled, c.total)
	}
	return fmt.Sprintf("%d of %d packages compiled: %s", c.compiled, c.total, line)
}
