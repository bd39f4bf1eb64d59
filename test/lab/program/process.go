package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/test/lab"
)

// Times of a program's life.
const (
	// StartTime is how long a program may take until it is ready.
	StartTime = 30 * time.Second
	// EndTime is how long a program may take to end after SIGTERM.
	EndTime = 30 * time.Second
)

// Spec says how to run one program.
type Spec struct {
	// Binary is the path of p2pstream. Default Binary().
	Binary string
	// Command is the subcommand of p2pstream, such as "tracker".
	Command string
	// Name is the program in messages. Default Command.
	Name string
	// Config is written as JSON to a file that --config names. None if nil.
	Config any
	// Args follow after --config.
	Args []string
	// Admin is host:port of /metrics and /readyz; empty if the program serves none. The configuration or the arguments
	// must say the same.
	Admin string
	// Ready is the URL that answers with status 200 once the program is ready. Default /readyz on Admin; without both
	// nothing is waited for.
	Ready string
	// Dir is where the configuration is written. Default a new directory of os.TempDir, removed when the program ends.
	Dir string
	// LogFile receives what the program logs, unread: LogBytes, LogTail and LogText then know nothing of it. None if nil.
	LogFile *os.File
	// Prefix is put before the command line, such as "ip", "netns", "exec", "office". Signals then reach the prefix, which
	// must hand them on or become the program.
	Prefix []string
	// Memory is the memory limit of the pod that the program runs in, in bytes. The Go runtime gets nine tenths of it as
	// its soft limit, as in a pod. None if 0.
	Memory int64
	// OwnGroup keeps signals away that a terminal sends to the group of this process.
	OwnGroup bool
}

// Process is one running program.
type Process struct {
	Spec

	cmd      *exec.Cmd
	out, log output
	ended    chan struct{} // closed when the program has ended
	err      error         // set then

	mu      sync.Mutex
	stopped bool // its end is wanted

	measuring sync.Mutex
	peaks     []*Peak
}

// Launch starts a program and waits until it is ready. The context bounds only the waiting: Terminate or Kill must be
// called. Errors: the binary cannot be built or started; the program ended or was not ready in time, and then it has
// been killed.
func Launch(ctx context.Context, s Spec) (*Process, error) {
	var err error
	if s.Binary == "" {
		if s.Binary, err = Binary(); err != nil {
			return nil, err
		}
	}
	if s.Name == "" {
		s.Name = s.Command
	}
	if s.Ready == "" && s.Admin != "" {
		s.Ready = "http://" + s.Admin + "/readyz"
	}
	p := &Process{Spec: s, ended: make(chan struct{})}
	remove := func() {}
	args := append(append([]string{}, s.Prefix...), s.Binary, s.Command)
	if s.Config != nil {
		var file string
		if file, remove, err = writeConfig(s); err != nil {
			return nil, fmt.Errorf("writing the configuration of %s: %w", s.Name, err)
		}
		args = append(args, "--config", file)
	}
	args = append(args, s.Args...)
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.log
	if s.LogFile != nil {
		p.cmd.Stderr = s.LogFile
	}
	if s.Memory > 0 {
		p.cmd.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%d", s.Memory-s.Memory/10))
	}
	p.cmd.SysProcAttr = attributes(s.OwnGroup)
	p.cmd.WaitDelay = time.Second // for children that keep the pipe
	if err := p.cmd.Start(); err != nil {
		remove()
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		remove()
		close(p.ended)
	}()
	if err := p.awaitReady(ctx); err != nil {
		p.Kill()
		return nil, fmt.Errorf("%w\n%s", err, p.log.tail(8000))
	}
	return p, nil
}

func writeConfig(s Spec) (file string, remove func(), err error) {
	b, err := json.Marshal(s.Config)
	if err != nil {
		return "", nil, err
	}
	dir, remove := s.Dir, func() {}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "p2pstream-lab"); err != nil {
			return "", nil, err
		}
		remove = func() { _ = os.RemoveAll(dir) } // what stays is small, and in the directory for such files
	}
	file = filepath.Join(dir, s.Name+".json")
	return file, remove, os.WriteFile(file, b, 0o600)
}

// awaitReady waits until Ready answers.
func (p *Process) awaitReady(ctx context.Context) error {
	if p.Ready == "" {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	answers := lab.Answers(ctx, p.Ready)
	return lab.Wait(ctx, StartTime, p.Name+" to be ready", func() error {
		if !p.Alive() {
			cancel(nil)
			return p.endError()
		}
		return answers()
	})
}

// endError says how a program ended that should not have.
func (p *Process) endError() error {
	if p.err == nil {
		return fmt.Errorf("%s ended by itself", p.Name)
	}
	return fmt.Errorf("%s ended by itself: %w", p.Name, p.err)
}

// Alive reports whether the program runs.
func (p *Process) Alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Ended is closed when the program has ended, in whatever way.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wanted reports whether the end of the program is wanted: Terminate, Kill or Wait was called.
func (p *Process) Wanted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// stop notes that the end is wanted, and reports whether it was not before.
func (p *Process) stop() (first bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first, p.stopped = !p.stopped, true
	return first
}

// Terminate sends SIGTERM and waits for the end. Errors: the program ended by itself before, it does not end in time
// and had to be killed, or its exit code is not 0. After the first Terminate, Kill or Wait it does nothing.
func (p *Process) Terminate() error {
	if !p.stop() {
		<-p.ended
		return nil
	}
	if !p.Alive() {
		return p.endError()
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending %s: %w", p.Name, err)
	}
	return p.wait(EndTime)
}

// Kill ends the program as a crash does, and waits until it is gone.
func (p *Process) Kill() {
	p.stop()
	_ = p.cmd.Process.Kill() // it may have ended already
	<-p.ended
}

// Wait waits for a program that ends by itself. Errors as of Terminate.
func (p *Process) Wait(within time.Duration) error {
	p.stop()
	return p.wait(within)
}

func (p *Process) wait(within time.Duration) error {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("running %s: %w", p.Name, p.err)
		}
		return nil
	case <-late.C:
		p.Kill()
		return fmt.Errorf("ending %s: it still ran after %s", p.Name, within)
	}
}

// LogBytes is how much the program has logged.
func (p *Process) LogBytes() int64 { return p.log.written() }

// LogTail is the end of what the program has logged, n bytes at most. Only the first MiB of a log is kept.
func (p *Process) LogTail(n int) string { return string(p.log.tail(n)) }

// LogText is what the program has logged, up to the first MiB.
func (p *Process) LogText() string { return string(p.log.tail(keptOutput)) }

// Output is what the program has printed, up to the first MiB.
func (p *Process) Output() []byte { return p.out.tail(keptOutput) }
