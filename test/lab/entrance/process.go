package entrance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// loadWithin is how long a proxy may take to serve a configuration: a machine that builds at the same time is slow.
const loadWithin = time.Minute

// process is the program of a proxy, with a folder of its own.
type process struct {
	binary, netns, folder string
	cmd                   *exec.Cmd // nil before it was started
	ended                 chan error
	log                   *bytes.Buffer // complete once it has ended
}

// newProcess makes the folder of a program, which start starts.
func newProcess(binary, netns string) (*process, error) {
	if _, err := exec.LookPath(binary); err != nil {
		return nil, fmt.Errorf("finding proxy, which make prepare installs: %w", err)
	}
	folder, err := os.MkdirTemp("", "entrance")
	if err != nil {
		return nil, fmt.Errorf("making folder of proxy: %w", err)
	}
	return &process{binary: binary, netns: netns, folder: folder, ended: make(chan error, 1), log: &bytes.Buffer{}}, nil
}

// start starts the program in a network namespace, or in our own.
func (p *process) start(args ...string) error {
	words := append([]string{p.binary}, args...)
	if p.netns != "" {
		words = append([]string{"nsenter", "--net=/run/netns/" + p.netns, "--"}, words...)
	}
	cmd := exec.Command(words[0], words[1:]...) // stop ends it
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.Env = append(os.Environ(), "HOME="+p.folder, "XDG_DATA_HOME="+p.folder, "XDG_CONFIG_HOME="+p.folder)
	cmd.SysProcAttr = endWithParent() // SIGTERM
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting proxy: %w", err)
	}
	p.cmd = cmd
	go func() { p.ended <- cmd.Wait() }()
	return nil
}

// over has a value once the program has ended.
func (p *process) over() chan error { return p.ended }

// stop ends the program, and returns what it wrote if it had ended before.
func (p *process) stop() error {
	defer func() { _ = os.RemoveAll(p.folder) }()
	if p.cmd == nil {
		return nil
	}
	select {
	case err := <-p.ended:
		return fmt.Errorf("proxy ended: %w; it wrote: %s", errors.Join(err, errEnded), p.log)
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("ending proxy: %w", err)
	}
	kill := time.AfterFunc(loadWithin, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	var ofSignal *exec.ExitError // its status is that of the signal
	if err := <-p.ended; err != nil && !errors.As(err, &ofSignal) {
		return fmt.Errorf("waiting for proxy: %w", err)
	}
	return nil
}

var errEnded = errors.New("before it was asked to")
