package tracker

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// watchEvery is how often watched files are looked at. Kubernetes swaps a symbolic link when a Secret changes, and
// is slower than that itself.
const watchEvery = 5 * time.Second

// watched is a value made of files, made anew when they change. A change that cannot be used leaves the old value.
type watched[T any] struct {
	files []string
	load  func() (T, error)
	name  string
	log   *slog.Logger
	value atomic.Pointer[T]
	seen  string
}

// newWatched loads the value a first time; then an error is one.
func newWatched[T any](name string, log *slog.Logger, load func() (T, error), files ...string) (*watched[T], error) {
	w := &watched[T]{files: files, load: load, name: name, log: log}
	w.seen = w.stamp()
	v, err := load()
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", name, err)
	}
	w.value.Store(&v)
	return w, nil
}

func (w *watched[T]) get() T { return *w.value.Load() }

// stamp is what the files hold, digested; content and not times, which a swapped link may not change.
func (w *watched[T]) stamp() string {
	h := sha256.New()
	for _, name := range w.files {
		b, err := os.ReadFile(name)
		if err != nil {
			b = []byte(name + ": " + err.Error())
		}
		_, _ = h.Write(b) // a hash takes everything
	}
	return string(h.Sum(nil))
}

// check loads the value again if the files have changed; a bad change is logged once, not at every look.
func (w *watched[T]) check() {
	stamp := w.stamp()
	if stamp == w.seen {
		return
	}
	w.seen = stamp
	v, err := w.load()
	if err != nil {
		w.log.Error("changed file cannot be used, keeping the old one", "what", w.name, "error", err)
		return
	}
	w.value.Store(&v)
	w.log.Info("changed file loaded", "what", w.name)
}

// run checks until ctx ends.
func (w *watched[T]) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			w.check()
		}
	}
}

func watchCertificate(cfg Config, log *slog.Logger) (*watched[*tls.Certificate], error) {
	return newWatched("TLS certificate", log, func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
		return &c, err
	}, cfg.TLSCert, cfg.TLSKey)
}

func watchToken(cfg Config, log *slog.Logger) (*watched[string], error) {
	return newWatched("seeder token", log, func() (string, error) {
		b, err := os.ReadFile(cfg.SeederTokenFile)
		if err != nil {
			return "", err
		}
		line, _, _ := strings.Cut(string(b), "\n")
		if line = strings.TrimSpace(line); line == "" {
			return "", fmt.Errorf("%s: first line is empty", cfg.SeederTokenFile)
		}
		return line, nil
	}, cfg.SeederTokenFile)
}
