package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// processes are programs that run until they are stopped: the viewers in the offices.
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
		_, _ = fmt.Fprintf(p.log, "%s %s: %s\n", group, name, line) // the log is a help, not a condition
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

// running counts the running programs of a group.
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

// troubles describes the programs that ended by themselves, with their last line of output.
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

// stop stops all with SIGTERM, then with SIGKILL, and returns once they have ended.
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
		return fmt.Errorf("stopping viewers: still running %s after SIGKILL", stopGrace)
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
