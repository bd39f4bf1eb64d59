package tracker

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/p2pstream/p2pstream/internal/watch"
	"github.com/p2pstream/p2pstream/runtime/tracker/tickets"
)

// keyring holds the keys of tickets, and follows their source: the configured key, a file, or the seeder tokens.
type keyring struct {
	source   func() [][]byte
	lifetime time.Duration
	log      *slog.Logger

	mu   sync.Mutex
	from [][]byte // what the ring was made of
	ring *tickets.Ring
}

// newKeyring finds the keys of tickets. They are the same for all replicas, and after a restart, unless there
// is nothing to take them from.
func (s *Server) newKeyring() error {
	k := &keyring{log: s.log, lifetime: 36 * time.Hour}
	switch {
	case s.cfg.Stream != nil:
		k.lifetime = s.cfg.Stream.Tickets.Lifetime.Std()
	case s.cfg.Streams != nil:
		k.lifetime = tickets.MaxLifetime // of a stream that may come
	}
	switch {
	case s.cfg.SessionKey != "":
		k.source = func() [][]byte { return [][]byte{[]byte(s.cfg.SessionKey)} }
	case s.cfg.SessionKeyFile != "":
		if err := createKeyFile(s.cfg.SessionKeyFile); err != nil {
			return err
		}
		v := watch.New("keys of tickets", s.log, func() ([][]byte, error) { return readKeys(s.cfg.SessionKeyFile) }, s.cfg.SessionKeyFile)
		if _, err := v.Get(); err != nil {
			return err
		}
		s.watched = append(s.watched, v.Run)
		k.source = func() [][]byte {
			keys, _ := v.Get() // the first ones were loaded above
			return keys
		}
	case s.SeederToken() != "":
		k.source = func() [][]byte { return derived(s.seederTokens()) }
	case s.writers != nil:
		k.source = func() [][]byte {
			tokens, _ := s.writers.Get() // New has read the first ones
			return derived(tokens)
		}
	default:
		random := make([]byte, 32)
		_, _ = rand.Read(random) // never fails: crypto/rand aborts the program instead
		k.source = func() [][]byte { return [][]byte{random} }
		if s.cfg.Stream != nil {
			s.log.Warn("tickets of viewers end with this process; set sessionKeyFile or a seeder token to keep them over a restart")
		}
	}
	k.from = k.source()
	var err error
	if k.ring, err = tickets.NewRing(k.from...); err != nil {
		return fmt.Errorf("making keys of tickets: %w", err)
	}
	s.keys = k
	return nil
}

// derived returns keys that are made of tokens.
func derived(tokens []string) (keys [][]byte) {
	for _, token := range tokens {
		mac := hmac.New(sha256.New, []byte(token))
		mac.Write([]byte("viewer sessions"))
		keys = append(keys, mac.Sum(nil))
	}
	return keys
}

// current returns the keys as they are now.
func (k *keyring) current() *tickets.Ring {
	from := k.source()
	k.mu.Lock()
	defer k.mu.Unlock()
	if slices.EqualFunc(from, k.from, slices.Equal[[]byte]) {
		return k.ring
	}
	k.from = from
	ring, err := k.ring.Change(from, k.lifetime, time.Now())
	if err != nil {
		k.log.Error("changed keys of tickets cannot be used; the ones before stay", "error", err)
		return k.ring
	}
	k.ring = ring
	k.log.Info("keys of tickets have changed; the ones before are accepted until their tickets end", "keys", len(from))
	return ring
}

// createKeyFile makes a file with a random key, unless it exists.
func createKeyFile(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("creating config.sessionKeyFile: %w", err)
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: crypto/rand aborts the program instead
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(random) + "\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing config.sessionKeyFile: %w", err)
	}
	return nil
}

func readKeys(name string) ([][]byte, error) {
	list, err := readLines(name)
	if err != nil {
		return nil, err
	}
	var keys [][]byte
	for _, line := range list {
		if len(line) < tickets.MinKey {
			return nil, fmt.Errorf("%s: a line has %d bytes; a key has at least %d", name, len(line), tickets.MinKey)
		}
		keys = append(keys, []byte(line))
	}
	if len(keys) > tickets.MaxKeys {
		return nil, fmt.Errorf("%s: has %d keys; at most %d are accepted", name, len(keys), tickets.MaxKeys)
	}
	return keys, nil
}

// readLines returns the lines of a file that are not empty; the first line must not be.
func readLines(name string) ([]string, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []string
	for i, line := range strings.Split(string(b), "\n") {
		switch line = strings.TrimSpace(line); {
		case line != "":
			all = append(all, line)
		case i == 0:
			return nil, fmt.Errorf("%s: the first line is empty; write the current secret there", name)
		}
	}
	return all, nil
}
