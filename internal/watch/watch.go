// Package watch loads values from files, and loads them again when the files change, without a restart: certificates,
// tokens, lists from a ConfigMap or a Secret. Kubernetes swaps a symbolic link when it changes a volume, so content is
// compared, and neither names nor times.
package watch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what is read; real files are far smaller.
const (
	maxFileBytes = 4 << 20
	maxEntries   = 1024
)

// Value is loaded from files. Its methods may be called from any goroutine.
type Value[T any] struct {
	name  string
	log   *slog.Logger
	load  func() (T, error)
	paths []string
	state atomic.Pointer[state[T]]

	mu     sync.Mutex // guards what follows, and lets one goroutine read the files at a time
	seen   string
	looked time.Time
}

// state is a value, or the error why there is none yet.
type state[T any] struct {
	value T
	err   error
}

// New loads a value a first time. paths are the files, or directories of files, that load reads. A value that cannot be
// loaded yet is an error of Get, and tried again when the files change.
func New[T any](name string, log *slog.Logger, load func() (T, error), paths ...string) *Value[T] {
	v := &Value[T]{name: name, log: log, load: load, paths: paths, looked: time.Now()}
	v.seen = v.stamp()
	value, err := load()
	if err != nil {
		err = fmt.Errorf("loading %s: %w", name, err)
	}
	v.state.Store(&state[T]{value, err})
	return v
}

// Get returns the last value that could be loaded; an error says why none could be loaded so far.
func (v *Value[T]) Get() (T, error) {
	s := v.state.Load()
	return s.value, s.err
}

// Recent is Get after a check of the files, unless they were checked within age.
func (v *Value[T]) Recent(age time.Duration) (T, error) {
	if v.mu.TryLock() { // a caller does not wait while another one checks
		if time.Since(v.looked) >= age {
			v.look()
		}
		v.mu.Unlock()
	}
	return v.Get()
}

// Check reads the files, and loads the value again if they have changed. It logs each change once: that it was loaded, or
// that it cannot be used and the value before it stays.
func (v *Value[T]) Check() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.look()
}

func (v *Value[T]) look() {
	v.looked = time.Now()
	stamp := v.stamp()
	if stamp == v.seen {
		return
	}
	v.seen = stamp
	value, err := v.load()
	if err == nil {
		v.state.Store(&state[T]{value: value})
		v.log.Info("changed file loaded", "what", v.name)
		return
	}
	kept := "keeping the version before it"
	if old := v.state.Load(); old.err != nil {
		kept = "no version could be loaded yet"
		v.state.Store(&state[T]{err: fmt.Errorf("loading %s: %w", v.name, err)})
	}
	v.log.Error("changed file cannot be used, "+kept, "what", v.name, "error", err)
}

// Run checks at an interval until ctx ends.
func (v *Value[T]) Run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			v.Check()
		}
	}
}

// stamp is a digest of what the files hold.
func (v *Value[T]) stamp() string {
	h := sha256.New()
	for _, path := range v.paths {
		if entries, err := Files(path); err == nil {
			for _, name := range entries {
				digest(h, name, filepath.Join(path, name))
			}
			continue
		}
		digest(h, "", path)
	}
	return string(h.Sum(nil))
}

// digest adds one file; one that cannot be read counts as its error.
func digest(h hash.Hash, name, path string) {
	inner := sha256.New()
	f, err := os.Open(path)
	if err == nil {
		_, err = io.Copy(inner, io.LimitReader(f, maxFileBytes))
		_ = f.Close() // only read
	}
	if err != nil {
		_, _ = io.WriteString(inner, err.Error()) // a hash accepts everything
	}
	_, _ = io.WriteString(h, name+"\x00")
	_, _ = h.Write(inner.Sum(nil))
}

// Files lists the regular files of a directory by name, in order. Links are followed, since the entries of a ConfigMap or
// Secret volume are links; names of such a volume's own directories begin with ".." and are left out. Errors: the directory
// cannot be read, or it has more than maxEntries entries.
func Files(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("%s: more than %d entries", dir, maxEntries)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "..") {
			continue
		}
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
