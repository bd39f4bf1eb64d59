package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ledger says, on disk, what a run made and where, so that the next run can remove it when this one
// was killed. Its lock says whether the run that wrote it still lives.
type ledger struct {
	path string
	lock *os.File
}

// entry is what is written down.
type entry struct {
	// Run names the run; in a given cluster all that it made carries this label.
	Run string `json:"run"`
	// Scratch is a folder of scraps on this machine.
	Scratch string `json:"scratch,omitempty"`
	// Made is false until something is made that must be removed.
	Made bool `json:"made"`
}

// busyError: another run has the lock.
type busyError struct{ pid int }

func (e *busyError) Error() string {
	if e.pid == 0 {
		return "another run of this demo is at work here; stop it with Ctrl-C in its terminal"
	}
	return fmt.Sprintf("another run of this demo (process %d) is at work here; stop it with Ctrl-C in its terminal, or: kill %d", e.pid, e.pid)
}

// ledgerPath is one file for each place a demo can run in: this machine's own cluster, or a context
// of this user's kubectl. It is not below the checkout, as two checkouts share the machine.
func ledgerPath(folder string, uid int, kubeContext string) string {
	if kubeContext == "" {
		return filepath.Join(folder, "p2pstream-demo.json")
	}
	sum := sha256.Sum256([]byte(kubeContext))
	return filepath.Join(folder, fmt.Sprintf("p2pstream-demo-%d-%s.json", uid, hex.EncodeToString(sum[:6])))
}

// ledgerFolder survives this process and need not survive a reboot.
func ledgerFolder(kind mode) string {
	if kind == modeOwnCluster {
		if info, err := os.Stat("/run"); err == nil && info.IsDir() {
			return "/run"
		}
	}
	return os.TempDir()
}

// openLedger takes the lock and returns what a killed run left in the ledger, if anything.
func openLedger(path string) (*ledger, *entry, error) {
	lock, err := takeLock(path + ".lock")
	if err != nil {
		return nil, nil, err
	}
	l := &ledger{path: path, lock: lock}
	left, err := l.read()
	if err != nil {
		return nil, nil, errors.Join(err, l.close())
	}
	return l, left, nil
}

// takeLock locks a file that is removed when its lock is given back.
func takeLock(path string) (*os.File, error) {
	for {
		lock, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("opening the lock of the demo: %w", err)
		}
		ok, err := lockFile(lock)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), lock.Close())
		}
		if !ok {
			return nil, errors.Join(&busyError{readPID(lock)}, lock.Close())
		}
		// The last holder may have removed the file in between; a lock on what has no name keeps nobody out.
		held, heldErr := lock.Stat()
		now, nowErr := os.Stat(path)
		if heldErr != nil || nowErr != nil || !os.SameFile(held, now) {
			_ = lock.Close() // nobody else can see it
			continue
		}
		if err := writePID(lock); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		return lock, nil
	}
}

// writePID says in the lock's file who has it.
func writePID(lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return fmt.Errorf("writing into the lock of the demo: %w", err)
	}
	if _, err := lock.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("writing into the lock of the demo: %w", err)
	}
	return nil
}

// readPID is 0 when the file says nothing yet.
func readPID(lock *os.File) int {
	raw, err := io.ReadAll(io.LimitReader(lock, 20))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(string(raw)) // 0, too, when it is half written
	return pid
}

func (l *ledger) read() (*entry, error) {
	raw, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && strings.TrimSpace(string(raw)) == "") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what the last run made: %w", err)
	}
	e := &entry{}
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, fmt.Errorf("reading what the last run made: %s: %w; remove the file when no demo runs", l.path, err)
	}
	return e, nil
}

// write replaces the entry in one step, so that a run that is killed leaves a whole one.
func (l *ledger) write(e entry) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("noting what this run makes: %w", err)
	}
	if err := os.WriteFile(l.path+".new", append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("noting what this run makes: %w", err)
	}
	if err := os.Rename(l.path+".new", l.path); err != nil {
		return fmt.Errorf("noting what this run makes: %w", err)
	}
	return nil
}

// close gives the lock back, and removes its file while nobody else can have the lock.
func (l *ledger) close() error {
	return errors.Join(os.Remove(l.lock.Name()), l.lock.Close())
}

// clear forgets the entry: all that it spoke of is gone.
func (l *ledger) clear() error {
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting what this run made: %w", err)
	}
	return nil
}
