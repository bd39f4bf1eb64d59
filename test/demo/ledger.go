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

// ledger is a file that records what a run has created, so that the next run can remove it if this one is
// killed. Its lock shows whether the run that wrote it is still alive.
type ledger struct {
	path string
	lock *os.File
}

// entry is the content of the ledger.
type entry struct {
	// Run names the run; in an existing cluster all its objects have this label value.
	Run string `json:"run"`
	// Scratch is a folder for temporary files on this machine.
	Scratch string `json:"scratch,omitempty"`
	// Made is true once there may be something to remove.
	Made bool `json:"made"`
}

// busyError: another run has the lock.
type busyError struct{ pid int }

func (e *busyError) Error() string {
	if e.pid == 0 {
		return "another run of this demo is active; stop it with Ctrl-C in its terminal"
	}
	return fmt.Sprintf("another run of this demo (process %d) is active; stop it with Ctrl-C in its terminal, or: kill %d", e.pid, e.pid)
}

// ledgerPath is one file for each place that a demo can run in: the cluster of this machine, or a context
// of this user's kubectl. It is outside of the checkout, because two checkouts share the machine.
func ledgerPath(folder string, uid int, kubeContext string) string {
	if kubeContext == "" {
		return filepath.Join(folder, "p2pstream-demo.json")
	}
	sum := sha256.Sum256([]byte(kubeContext))
	return filepath.Join(folder, fmt.Sprintf("p2pstream-demo-%d-%s.json", uid, hex.EncodeToString(sum[:6])))
}

// ledgerFolder is a folder that outlives the process but need not survive a reboot.
func ledgerFolder(kind mode) string {
	if kind == modeOwnCluster {
		if info, err := os.Stat("/run"); err == nil && info.IsDir() {
			return "/run"
		}
	}
	return os.TempDir()
}

// openLedger takes the lock and returns the entry of a killed run, if any.
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

// takeLock locks a file that is removed when the lock is released.
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
		// The last holder may have removed the file in between: a lock on a removed file excludes no other run.
		held, heldErr := lock.Stat()
		now, nowErr := os.Stat(path)
		if heldErr != nil || nowErr != nil || !os.SameFile(held, now) {
			_ = lock.Close() // the file has been removed
			continue
		}
		if err := writePID(lock); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
		return lock, nil
	}
}

// writePID writes the process id of the holder into the lock file.
func writePID(lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return fmt.Errorf("writing into the lock of the demo: %w", err)
	}
	if _, err := lock.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("writing into the lock of the demo: %w", err)
	}
	return nil
}

// readPID reads the process id of the holder; 0: not written yet.
func readPID(lock *os.File) int {
	raw, err := io.ReadAll(io.LimitReader(lock, 20))
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(string(raw)) // also 0 if it is only half written
	return pid
}

func (l *ledger) read() (*entry, error) {
	raw, err := os.ReadFile(l.path)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && strings.TrimSpace(string(raw)) == "") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of the last run: %w", err)
	}
	e := &entry{}
	if err := json.Unmarshal(raw, e); err != nil {
		return nil, fmt.Errorf("reading the ledger of the last run: %s: %w; remove the file if no demo is running", l.path, err)
	}
	return e, nil
}

// write replaces the entry atomically, so that a killed run leaves a complete one.
func (l *ledger) write(e entry) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	if err := os.WriteFile(l.path+".new", append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	if err := os.Rename(l.path+".new", l.path); err != nil {
		return fmt.Errorf("writing the ledger: %w", err)
	}
	return nil
}

// close removes the lock file while it is still locked, and releases the lock.
func (l *ledger) close() error {
	return errors.Join(os.Remove(l.lock.Name()), l.lock.Close())
}

// clear removes the entry: everything it recorded has been removed.
func (l *ledger) clear() error {
	if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the ledger: %w", err)
	}
	return nil
}
