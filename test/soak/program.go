package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// Times of a program's life.
const (
	startWithin = 20 * time.Second
	endWithin   = 20 * time.Second // from SIGTERM on
)

// spec is how a program is run; a restart runs the same again.
type spec struct {
	name  string
	args  []string
	admin string // host:port of its /metrics and /healthz
	// extra adds figures that the program does not know itself.
	extra func(*samples.Row)
}

// program is one process.
type program struct {
	spec
	life   int
	cmd    *exec.Cmd
	out    bytes.Buffer // after exited
	exited chan struct{}
	err    error // after exited
	told   atomic.Bool
}

// programs starts processes and knows those that run.
type programs struct {
	binary string
	logs   string // directory
	failed func(program, why string)

	mu      sync.Mutex
	lives   map[string]int
	running map[string]*program
}

// start runs a program and waits until it answers.
func (ps *programs) start(ctx context.Context, s spec) (*program, error) {
	log, err := os.OpenFile(filepath.Join(ps.logs, s.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening log of %s: %w", s.name, err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	ps.mu.Lock()
	ps.lives[s.name]++
	p := &program{spec: s, life: ps.lives[s.name], exited: make(chan struct{})}
	ps.mu.Unlock()
	p.cmd = exec.Command(ps.binary, append(s.args, "--log-level", "warn")...) // ended by stop, which asks first
	p.cmd.Stdout, p.cmd.Stderr = &p.out, log
	p.cmd.SysProcAttr = ownGroup()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.name, err)
	}
	ps.mu.Lock()
	ps.running[s.name] = p
	ps.mu.Unlock()
	go func() {
		p.err = p.cmd.Wait()
		ps.mu.Lock()
		delete(ps.running, s.name)
		ps.mu.Unlock()
		if !p.told.Load() {
			ps.failed(s.name, fmt.Sprintf("ended by itself: %v; see %s", p.err, log.Name()))
		}
		close(p.exited)
	}()
	if err := p.awaitHealth(ctx); err != nil {
		return nil, errors.Join(err, p.stop(syscall.SIGKILL))
	}
	return p, nil
}

// awaitHealth waits until the program's /healthz answers.
func (p *program) awaitHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	err := poll(ctx, 50*time.Millisecond, func() bool {
		select {
		case <-p.exited:
			cancel()
			return false
		default:
		}
		resp, err := get(ctx, "http://"+p.admin+"/healthz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close() // nothing is read of it
		return resp.StatusCode == http.StatusOK
	})
	if err != nil {
		return fmt.Errorf("waiting for %s to answer on %s: %w", p.name, p.admin, err)
	}
	return nil
}

// stop ends the program with a signal and waits until it is gone. Whoever does
// not go after SIGTERM is killed, and that is an error, as is an exit code.
func (p *program) stop(sig syscall.Signal) error {
	p.told.Store(true)
	_ = p.cmd.Process.Signal(sig) // it may be gone already
	late := time.NewTimer(endWithin)
	defer late.Stop()
	select {
	case <-p.exited:
	case <-late.C:
		_ = p.cmd.Process.Kill() // as above
		<-p.exited
		return fmt.Errorf("stopping %s: still there %s after %s", p.name, endWithin, sig)
	}
	var exit *exec.ExitError
	if sig == syscall.SIGTERM && errors.As(p.err, &exit) {
		return fmt.Errorf("stopping %s: %w", p.name, p.err)
	}
	return nil
}

// all are the programs that run now.
func (ps *programs) all() []*program {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	out := make([]*program, 0, len(ps.running))
	for _, p := range ps.running {
		out = append(out, p)
	}
	return out
}

// poll asks until it is so or ctx ends.
func poll(ctx context.Context, every time.Duration, so func() bool) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// pause waits; false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
