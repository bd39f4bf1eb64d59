package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo.json")
	first, left, err := openLedger(path)
	if err != nil || left != nil {
		t.Fatalf("openLedger = %v, %v", left, err)
	}
	if err := first.write(entry{Scratch: "/tmp/x", Run: "run1", Made: true}); err != nil {
		t.Fatal(err)
	}

	_, _, err = openLedger(path)
	var busy *busyError
	if pid := strconv.Itoa(os.Getpid()); !errors.As(err, &busy) || !strings.Contains(err.Error(), "process "+pid) || !strings.HasSuffix(err.Error(), "kill "+pid) {
		t.Errorf("a second run while the first lives: %v", err)
	}

	// A killed run gives its lock back and leaves its entry.
	if err := first.lock.Close(); err != nil {
		t.Fatal(err)
	}
	second, left, err := openLedger(path)
	if err != nil || left == nil || *left != (entry{Scratch: "/tmp/x", Run: "run1", Made: true}) {
		t.Fatalf("openLedger after a kill = %+v, %v", left, err)
	}
	if err := errors.Join(second.clear(), second.clear(), second.close()); err != nil {
		t.Fatal(err)
	}
	third, left, err := openLedger(path)
	if err != nil || left != nil {
		t.Fatalf("openLedger after a clean end = %+v, %v", left, err)
	}
	if err := third.close(); err != nil {
		t.Fatal(err)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// TestLedgerHasOneHolder opens and closes from many sides at once: the file of the lock goes away and
// comes back, and still there is never more than one holder.
func TestLedgerHasOneHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo.json")
	var holders, most atomic.Int32
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 200 {
				l, _, err := openLedger(path)
				var busy *busyError
				if errors.As(err, &busy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := holders.Add(1); n > most.Load() {
					most.Store(n)
				}
				holders.Add(-1)
				if err := l.close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	if most.Load() != 1 {
		t.Errorf("%d holders at once", most.Load())
	}
}

func TestLedgerRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo.json")
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := openLedger(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("openLedger = %v, want an error that names the file", err)
	}
}

func TestBusyWithoutAProcess(t *testing.T) {
	t.Parallel()
	if text := (&busyError{}).Error(); strings.Contains(text, "kill") || !strings.Contains(text, "Ctrl-C") {
		t.Errorf("busyError = %q, want no process to kill", text)
	}
}

func TestLedgerPath(t *testing.T) {
	t.Parallel()
	own, a, b, other := ledgerPath("/run", 0, ""), ledgerPath("/tmp", 5, "kind-a"), ledgerPath("/tmp", 5, "kind-b"), ledgerPath("/tmp", 6, "kind-a")
	if own != "/run/p2pstream-demo.json" || a == b || a == other || filepath.Dir(a) != "/tmp" {
		t.Errorf("ledgerPath: %s %s %s %s", own, a, b, other)
	}
}
