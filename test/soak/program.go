package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/lab/program"
	"github.com/p2pstream/p2pstream/test/soak/samples"
)

// spec is how a program is run; a restart runs the same again.
type spec struct {
	name  string
	args  []string // the first is the command
	admin string   // host:port of its /metrics and /healthz
	// extra adds figures that the program does not know itself.
	extra func(*samples.Row)
}

// running is one process.
type running struct {
	*program.Process
	spec
	life int // how many processes of this name there were, with this one
}

// programs starts processes and knows those that run.
type programs struct {
	binary string
	logs   string // directory
	failed func(program, why string)

	mu    sync.Mutex
	lives map[string]int
	alive map[string]*running
}

// start runs a program and waits until it answers.
func (ps *programs) start(ctx context.Context, s spec) (*running, error) {
	log, err := os.OpenFile(filepath.Join(ps.logs, s.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening log of %s: %w", s.name, err)
	}
	defer func() { _ = log.Close() }() // the process has its own
	r := &running{spec: s}
	// Ready says too much here: a seeder is to be observed while it fetches the stream. A Ctrl-C must not reach the programs,
	// which are ended in an order of their own.
	r.Process, err = program.Launch(ctx, program.Spec{Binary: ps.binary, Command: s.args[0], Name: s.name,
		Args: append(s.args[1:len(s.args):len(s.args)], "--log-level", "warn"), Ready: "http://" + s.admin + "/healthz", LogFile: log, OwnGroup: true})
	if err != nil {
		return nil, fmt.Errorf("%w; see %s", err, log.Name())
	}
	ps.mu.Lock()
	ps.lives[s.name]++
	r.life = ps.lives[s.name]
	ps.alive[s.name] = r
	ps.mu.Unlock()
	go ps.watch(r, log.Name())
	return r, nil
}

// watch forgets a process that has ended, and tells if its end was not wanted.
func (ps *programs) watch(r *running, log string) {
	<-r.Ended()
	ps.mu.Lock()
	if ps.alive[r.name] == r {
		delete(ps.alive, r.name)
	}
	ps.mu.Unlock()
	if !r.Wanted() {
		ps.failed(r.name, "ended by itself; see "+log)
	}
}

// stop ends the program with SIGTERM or SIGKILL and waits until it is gone.
func (r *running) stop(sig syscall.Signal) error {
	if sig == syscall.SIGKILL {
		r.Kill()
		return nil
	}
	return r.Terminate()
}

// all are the programs that run now.
func (ps *programs) all() []*running {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	out := make([]*running, 0, len(ps.alive))
	for _, p := range ps.alive {
		out = append(out, p)
	}
	return out
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
