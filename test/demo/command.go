package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	stopGrace = 10 * time.Second // between SIGTERM and SIGKILL
	keepLines = 15               // last lines of output that an error message shows
)

// command is one program to run.
type command struct {
	args    []string
	dir     string
	env     []string // beside our own
	stdin   []byte
	timeout time.Duration // longest run; 0: as long as the context allows
	idle    time.Duration // longest time without progress (see watchdog); 0: unlimited
	// noise reports whether a line only shows progress: such lines are left out of error messages.
	noise func(line string) bool
	// describe returns what the step shows for a line; nil: the line itself.
	describe func(line string) string
	// notice is called with each line, in order; nil: not called.
	notice func(line string)
}

// runner runs programs and writes their output to one log.
type runner struct {
	log   io.Writer
	grace time.Duration // 0: stopGrace
}

// commandError is the failure of a program, with its last lines of output.
type commandError struct {
	args []string
	err  error
	tail []string
}

func (e *commandError) Error() string {
	text := fmt.Sprintf("running %s: %v", shorten(e.args), e.err)
	for _, line := range e.tail {
		text += "\n    " + line
	}
	return text
}

func (e *commandError) Unwrap() error { return e.err }

// shorten names a command in a message: long enough to repeat it by hand, at most 160 characters.
func shorten(args []string) string {
	words := append([]string{}, args...)
	if len(words) > 0 {
		words[0] = filepath.Base(words[0])
	}
	if text := strings.Join(words, " "); len(text) <= 160 {
		return text
	}
	return strings.Join(words, " ")[:160] + "…"
}

// output runs a program and returns its standard output.
func (r *runner) output(ctx context.Context, c command, a *activity) ([]byte, error) {
	var stdout bytes.Buffer
	err := r.start(ctx, c, a, &stdout)
	return stdout.Bytes(), err
}

// run runs a program; its output goes to the log.
func (r *runner) run(ctx context.Context, c command, a *activity) error {
	return r.start(ctx, c, a, nil)
}

func (c command) shown(line string) string {
	if c.describe == nil {
		return line
	}
	return c.describe(line)
}

func (r *runner) start(ctx context.Context, c command, a *activity, stdout io.Writer) error {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("not done after %s", c.timeout))
		defer cancel()
	}
	saw := func(string) {}
	if c.idle > 0 {
		var dog *watchdog
		ctx, dog = watchProgress(ctx, c.idle)
		defer dog.end()
		saw = dog.saw
	}
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	if c.stdin != nil {
		cmd.Stdin = bytes.NewReader(c.stdin)
	}
	lines := &lineWriter{noise: c.noise, each: func(line string) {
		saw(line)
		if a != nil {
			a.say(c.shown(line))
		}
		if c.notice != nil {
			c.notice(line)
		}
		_, _ = fmt.Fprintln(r.log, line) // the log is a help, not a condition: a full disk fails the build itself
	}}
	cmd.Stderr = lines
	cmd.Stdout = lines
	if stdout != nil {
		cmd.Stdout = stdout
	}
	ownGroup(cmd)
	cmd.Cancel = func() error { return signalGroup(cmd, false) }
	if cmd.WaitDelay = r.grace; cmd.WaitDelay == 0 {
		cmd.WaitDelay = stopGrace
	}
	_, _ = fmt.Fprintf(r.log, "$ %s\n", shorten(c.args))
	err := cmd.Run()
	if err != nil && ctx.Err() != nil && cmd.Process != nil {
		// Children may outlive the program, and both may ignore SIGTERM.
		err = errors.Join(context.Cause(ctx), signalGroup(cmd, true))
	}
	if err == nil {
		return nil
	}
	return &commandError{args: c.args, err: err, tail: lines.end()}
}

// lineWriter calls each for every whole line and keeps the last lines.
type lineWriter struct {
	mu    sync.Mutex
	each  func(string)
	noise func(string) bool // lines that are not kept; nil: all are kept
	part  []byte
	tail  []string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = append(w.part, p...)
	for {
		// A carriage return ends a line too: progress bars use it.
		i := bytes.IndexAny(w.part, "\n\r")
		if i < 0 {
			if len(w.part) > 64<<10 {
				w.part = w.part[:0]
			}
			return len(p), nil
		}
		w.line(string(w.part[:i]))
		w.part = w.part[i+1:]
	}
}

func (w *lineWriter) line(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	w.each(line)
	if w.noise != nil && w.noise(line) {
		return
	}
	if w.tail = append(w.tail, line); len(w.tail) > keepLines {
		w.tail = w.tail[1:]
	}
}

// end returns the last lines, an unfinished one included.
func (w *lineWriter) end() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.part) > 0 {
		w.line(string(w.part))
		w.part = nil
	}
	return append([]string{}, w.tail...)
}
