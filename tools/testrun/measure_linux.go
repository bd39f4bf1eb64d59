package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// measureCommand is the first argument with which this program runs a command and adopts its orphans.
const measureCommand = "measure"

// measure runs a command and returns its exit status. The kernel adds the processor time of a process to
// that of its parent when the parent waits for it, so programs that outlive their parent would be counted
// nowhere. measure adopts and waits for them; the parent of measure gets the time of the whole tree,
// except of programs that still run when the command has ended, and of those in a process namespace whose
// first process was killed: the kernel does not count them.
func measure(args []string) (int, error) {
	if len(args) == 0 {
		return 0, errors.New("measure: no command is given")
	}
	// An interrupt goes to the command as well, which cleans up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGINT, syscall.SIGTERM)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("adopting orphans: %w", err)
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, fmt.Errorf("finding command: %w", err)
	}
	// os/exec would compete for the command's exit status with the loop below.
	pid, err := syscall.ForkExec(path, args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}}) //nolint:gosec // the command is an argument on purpose
	if err != nil {
		return 0, fmt.Errorf("starting %s: %w", path, err)
	}
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("waiting for %s: %w", path, err)
		case ended != pid:
		case status.Signaled():
			reapEnded()
			return 128 + int(status.Signal()), nil
		default:
			reapEnded()
			return status.ExitStatus(), nil
		}
	}
}

// reapEnded waits for the orphans that have ended already.
func reapEnded() {
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 && !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}
