// Package viewers runs p2pstream's headless viewers at a place in the network, and reads
// what they measured themselves.
package viewers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// Command makes a command that runs at some place, as exec.Command makes one that runs here.
type Command func(name string, args ...string) *exec.Cmd

// Group is some viewers in one process.
type Group struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	log  log
	done chan struct{}
	err  error
}

// log keeps the end of what a process logs, for concurrent readers.
type log struct {
	mu sync.Mutex
	b  []byte
}

const logBytes = 64 << 10

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	if len(l.b) > logBytes {
		l.b = append([]byte(nil), l.b[len(l.b)-logBytes:]...)
	}
	return len(p), nil
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

// Start starts viewers of the stream whose settings are at configURL. Each checks every segment that it
// gets from a peer against the origin's own.
func Start(command Command, binary, configURL string, args ...string) (*Group, error) {
	all := append([]string{"viewer", "--config-url", configURL, "--headless", "--json", "--verify", "--log-level", "warn"}, args...)
	g := &Group{cmd: command(binary, all...), done: make(chan struct{})}
	g.cmd.Stdout, g.cmd.Stderr = &g.out, &g.log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := g.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting viewers: %w", err)
	}
	go func() {
		defer close(g.done)
		g.err = g.cmd.Wait()
	}()
	return g, nil
}

// Log is the end of what the viewers logged.
func (g *Group) Log() string { return g.log.String() }

// Running reports whether the process still runs.
func (g *Group) Running() bool {
	select {
	case <-g.done:
		return false
	default:
		return true
	}
}

// Stop ends the viewers with SIGTERM and returns what they measured.
func (g *Group) Stop(within time.Duration) (viewer.Report, error) {
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return viewer.Report{}, fmt.Errorf("stopping viewers: %w", err)
	}
	return g.Wait(within)
}

// Wait waits for viewers that end by themselves.
func (g *Group) Wait(within time.Duration) (viewer.Report, error) {
	select {
	case <-g.done:
	case <-time.After(within):
		return viewer.Report{}, fmt.Errorf("viewers did not end within %s", within)
	}
	var r viewer.Report
	if g.err != nil {
		return r, fmt.Errorf("viewers ended with %w: %s", g.err, g.Log())
	}
	if err := json.Unmarshal(g.out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("decoding the viewers' report: %w: %s", err, g.out.String())
	}
	return r, nil
}

// Kill ends the viewers with SIGKILL. It may be called at any time, more than once.
func (g *Group) Kill() {
	_ = g.cmd.Process.Kill() // it may have ended already
	<-g.done
}
