package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// processes are programs that run until they are stopped: the viewers of the offices.
type processes struct {
	log io.Writer

	mu   sync.Mutex
	all  []*process
	work sync.WaitGroup
}

type process struct {
	name, group string
	cmd         *exec.Cmd
	lines       *lineWriter
	ended       bool
	err         error
}

// start starts one program of a group (an office).
func (p *processes) start(group, name string, args ...string) error {
	proc := &process{name: name, group: group, cmd: exec.Command(args[0], args[1:]...)}
	proc.lines = &lineWriter{each: func(line string) {
		_, _ = fmt.Fprintf(p.log, "%s %s: %s\n", group, name, line) // a full disk shows itself elsewhere
	}}
	proc.cmd.Stdout, proc.cmd.Stderr = proc.lines, proc.lines
	proc.cmd.WaitDelay = time.Second // for children that keep the pipe
	ownGroup(proc.cmd)
	if err := proc.cmd.Start(); err != nil {
		return fmt.Errorf("starting %s in %s: %w", name, group, err)
	}
	p.mu.Lock()
	p.all = append(p.all, proc)
	p.mu.Unlock()
	p.work.Go(func() {
		err := proc.cmd.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		proc.ended, proc.err = true, err
	})
	return nil
}

// running counts the programs of a group that still run.
func (p *processes) running(group string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, proc := range p.all {
		if proc.group == group && !proc.ended {
			n++
		}
	}
	return n
}

// troubles tells which programs ended by themselves and what they said last.
func (p *processes) troubles() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []string
	for _, proc := range p.all {
		if !proc.ended {
			continue
		}
		text := fmt.Sprintf("%s in %s has ended: %v", proc.name, proc.group, proc.err)
		if tail := proc.lines.end(); len(tail) > 0 {
			text += ": " + tail[len(tail)-1]
		}
		all = append(all, text)
	}
	return all
}

// stop stops them all, first politely, and returns once they are gone.
func (p *processes) stop(ctx context.Context) error {
	gone := make(chan struct{})
	go func() {
		p.work.Wait()
		close(gone)
	}()
	p.signal(false)
	select {
	case <-gone:
		return nil
	case <-time.After(stopGrace):
	case <-ctx.Done():
	}
	p.signal(true)
	select {
	case <-gone:
		return nil
	case <-time.After(stopGrace):
		return fmt.Errorf("stopping viewers: still there %s after SIGKILL", stopGrace)
	}
}

func (p *processes) signal(hard bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, proc := range p.all {
		if !proc.ended {
			_ = signalGroup(proc.cmd, hard) // it may end at this very moment; stop waits for all of them
		}
	}
}
