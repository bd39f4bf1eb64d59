package nodeinit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/cluster/internal/plan"
)

const (
	restartDelay = time.Second
	pollInterval = 20 * time.Millisecond
)

// Run reads a spec file, arranges the node's files and supervises its programs until ctx ends. It returns early if
// that fails. What runs on the node ends with the calling process.
func Run(ctx context.Context, specFile string, log *slog.Logger) error {
	if os.Getpid() != 1 {
		return errors.New("this is the first process of a node; `cluster up` starts it")
	}
	data, err := os.ReadFile(specFile)
	if err != nil {
		return fmt.Errorf("reading node spec: %w", err)
	}
	var spec plan.NodeSpec
	if err := json.Unmarshal(data, &spec); err != nil {
		return fmt.Errorf("reading node spec: %w", err)
	}
	if err := arrange(spec); err != nil {
		return fmt.Errorf("arranging the files of %s: %w", spec.Place, err)
	}
	raiseOpenFiles(log)
	s := &supervisor{spec: spec, log: log, running: map[int]plan.Program{}}
	for _, program := range spec.Programs {
		go s.startWhenReady(ctx, program)
	}
	s.reap(ctx)
	return nil
}

// raiseOpenFiles raises the limit of open files to the highest that the machine allows.
func raiseOpenFiles(log *slog.Logger) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("open files limit is unknown", "error", err)
		return
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("open files limit stays", "error", err)
	}
}

type supervisor struct {
	spec plan.NodeSpec
	log  *slog.Logger

	mu      sync.Mutex // held from before a program is started until its process id is recorded
	running map[int]plan.Program
}

func (s *supervisor) startWhenReady(ctx context.Context, program plan.Program) {
	for program.After != "" && ctx.Err() == nil {
		if _, err := os.Stat(program.After); err == nil {
			break
		}
		time.Sleep(pollInterval)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	pid, err := start(program)
	if err != nil {
		s.ended(ctx, program, err.Error())
		return
	}
	s.log.Info("started", "program", program.Name, "pid", pid)
	s.running[pid] = program
}

func start(program plan.Program) (int, error) {
	path, err := exec.LookPath(program.Path)
	if err != nil {
		return 0, fmt.Errorf("finding program: %w", err)
	}
	log, err := os.OpenFile(program.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("opening log: %w", err)
	}
	defer func() { _ = log.Close() }()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return 0, fmt.Errorf("opening null device: %w", err)
	}
	defer func() { _ = null.Close() }()
	// Not os/exec: its Wait would compete with the one below for the same children.
	pid, err := syscall.ForkExec(path, append([]string{path}, program.Args...), &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, fmt.Errorf("starting program: %w", err)
	}
	return pid, nil
}

// reap waits for every child that ends: the node's programs, and orphans, which become this process's children.
func (s *supervisor) reap(ctx context.Context) {
	for ctx.Err() == nil {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err != nil || pid == 0 {
			time.Sleep(pollInterval)
			continue
		}
		s.mu.Lock()
		if program, ok := s.running[pid]; ok {
			delete(s.running, pid)
			s.ended(ctx, program, describe(status))
		}
		s.mu.Unlock()
	}
}

func describe(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "killed by signal " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

// ended records that a program has ended, for `cluster up` to read, and starts it again, as systemd does on a
// real node.
func (s *supervisor) ended(ctx context.Context, program plan.Program, how string) {
	s.log.Warn("ended", "program", program.Name, "how", how)
	if file, err := os.OpenFile(s.spec.Exits, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		_, _ = fmt.Fprintf(file, "%s\t%s\n", program.Name, how)
		_ = file.Close()
	}
	time.AfterFunc(restartDelay, func() { s.startWhenReady(ctx, program) })
}
