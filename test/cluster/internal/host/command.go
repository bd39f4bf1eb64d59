package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// NetnsDir is where `ip netns` keeps named network namespaces.
const NetnsDir = "/run/netns"

// Run runs a program in a network namespace (the machine's own if netns is empty) and returns its
// standard output. An error contains what the program wrote to standard error.
func Run(ctx context.Context, netns, stdin, program string, args ...string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaint
	err := InNetns(netns, cmd.Start)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("running %s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// InNetns calls do on a thread inside a network namespace; processes that do starts are in it.
// Only the network changes, so /sys stays the machine's own with its cgroups, as the kubelet needs it.
func InNetns(netns string, do func() error) error {
	if netns == "" {
		return do()
	}
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, so no other goroutine can inherit it.
		runtime.LockOSThread()
		done <- func() error {
			if err := EnterNetns(netns); err != nil {
				return err
			}
			return do()
		}()
	}()
	return <-done
}

// EnterNetns moves the calling thread, which must be locked, into a named network namespace.
func EnterNetns(netns string) error {
	fd, err := unix.Open(filepath.Join(NetnsDir, netns), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening network namespace %s: %w", netns, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering network namespace %s: %w", netns, err)
	}
	return nil
}

// ExitCode is the exit status of a failed program as a shell reports it, or -1 if err is none.
func ExitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}
