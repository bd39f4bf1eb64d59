package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Process identifies one process: the kernel uses a process id again, but not together with a start time.
type Process struct {
	PID int `json:"pid"`
	// Start is field 22 of /proc/PID/stat, in clock ticks since boot.
	Start uint64 `json:"start"`
}

// FindProcess looks a process up by its number.
func FindProcess(pid int) (Process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, fmt.Errorf("looking up process %d: %w", pid, err)
	}
	start, _, err := parseStat(stat)
	if err != nil {
		return Process{}, fmt.Errorf("looking up process %d: %w", pid, err)
	}
	return Process{PID: pid, Start: start}, nil
}

// parseStat finds start time and state. The second field is the program's name in parentheses and may
// itself hold spaces and parentheses.
func parseStat(stat []byte) (start uint64, state byte, err error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, 0, errors.New("no name in its stat file")
	}
	fields := strings.Fields(string(stat[end+1:]))
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("only %d fields in its stat file", len(fields))
	}
	start, err = strconv.ParseUint(fields[19], 10, 64)
	return start, fields[0][0], err
}

// Alive reports whether this process still runs. A zombie does not.
func (p Process) Alive() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID))
	if err != nil {
		return false
	}
	start, state, err := parseStat(stat)
	return err == nil && start == p.Start && state != 'Z' && state != 'X'
}

// Signal sends a signal to this process, through a pidfd, which cannot refer to another one.
func (p Process) Signal(signal unix.Signal) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("opening process %d: %w", p.PID, err)
	}
	defer func() { _ = unix.Close(fd) }()
	if !p.Alive() {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, signal, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("signalling process %d: %w", p.PID, err)
	}
	return nil
}

// End sends SIGTERM, waits, sends SIGKILL, and returns the processes that are still alive.
func End(processes []Process, grace time.Duration) []Process {
	if grace > 0 {
		signalAll(processes, unix.SIGTERM)
		if processes = waitGone(processes, grace); len(processes) == 0 {
			return nil
		}
	}
	signalAll(processes, unix.SIGKILL)
	return waitGone(processes, 10*time.Second)
}

func signalAll(processes []Process, signal unix.Signal) {
	for _, p := range processes {
		_ = p.Signal(signal) // what cannot be signalled is still there afterwards, and is reported then
	}
}

func waitGone(processes []Process, limit time.Duration) []Process {
	deadline := time.Now().Add(limit)
	for {
		processes = slices.DeleteFunc(slices.Clone(processes), func(p Process) bool { return !p.Alive() })
		if len(processes) == 0 || time.Now().After(deadline) {
			return processes
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Running describes one process of the machine.
type Running struct {
	Process
	Parent int
	// Args is the command line.
	Args []string
	// Netns and PIDns identify its namespaces.
	Netns, PIDns uint64
}

// Processes lists the processes of the machine; those that end meanwhile are left out.
func Processes() ([]Running, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var all []Running
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if r, ok := running(pid); ok {
			all = append(all, r)
		}
	}
	return all, nil
}

func running(pid int) (Running, bool) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	process, err := FindProcess(pid)
	if err != nil {
		return Running{}, false
	}
	r := Running{Process: process}
	cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
	r.Args = strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
	if end := bytes.LastIndexByte(stat, ')'); end >= 0 {
		if fields := strings.Fields(string(stat[end+1:])); len(fields) > 1 {
			r.Parent, _ = strconv.Atoi(fields[1])
		}
	}
	r.Netns, _ = inode(filepath.Join(dir, "ns/net"))
	r.PIDns, _ = inode(filepath.Join(dir, "ns/pid"))
	return r, true
}

// PIDnsOfSelf identifies the process namespace that this program is in.
func PIDnsOfSelf() (uint64, error) { return inode("/proc/self/ns/pid") }

// WaitPIDnsGone waits until no process is left in any of these process namespaces.
func WaitPIDnsGone(namespaces map[uint64]bool, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		all, err := Processes()
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(all, func(r Running) bool { return !namespaces[r.PIDns] || !r.Alive() })
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes are still alive after SIGKILL, among them %d (%s)", len(left), left[0].PID, strings.Join(left[0].Args, " "))
		}
	}
}

// inode follows a /proc/PID/ns link or a name below NetnsDir to the namespace itself.
func inode(path string) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		return 0, fmt.Errorf("looking up namespace %s: %w", path, err)
	}
	return stat.Ino, nil
}

// Ancestors are the numbers of this process and of all that it descends from.
func Ancestors() map[int]bool {
	family := map[int]bool{}
	for pid := os.Getpid(); pid > 0 && !family[pid]; {
		family[pid] = true
		r, ok := running(pid)
		if !ok {
			break
		}
		pid = r.Parent
	}
	return family
}
