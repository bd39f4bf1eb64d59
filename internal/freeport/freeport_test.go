package freeport

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"testing"
)

func TestOn(t *testing.T) {
	const askers, each = 8, 50
	var (
		mu    sync.Mutex
		given = map[string]bool{}
		all   sync.WaitGroup
	)
	for range askers {
		all.Go(func() {
			for range each {
				address, err := On("127.0.0.1")
				mu.Lock()
				if err != nil || given[address] {
					t.Errorf("%q, %v; want an address that is not given twice", address, err)
				}
				given[address] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for address := range given {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("listening: %v", err)
			continue
		}
		_ = l.Close() // nothing was sent
	}
}

func TestOnPassesByWhatIsTaken(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run(network, func(t *testing.T) {
			next := net.JoinHostPort("127.0.0.1", strconv.Itoa(next()))
			tried.Add(-1)
			if network == "tcp" {
				if l, err := net.Listen(network, next); err == nil {
					defer func() { _ = l.Close() }()
				}
			} else if c, err := net.ListenPacket(network, next); err == nil {
				defer func() { _ = c.Close() }()
			}
			if address, err := On("127.0.0.1"); err != nil || address == next {
				t.Errorf("%q, %v; want another one than %s", address, err, next)
			}
		})
	}
}

// TestForeignHost asks on an address of documentation (RFC 5737), which no machine has.
func TestForeignHost(t *testing.T) {
	if address, err := On("192.0.2.1"); !errors.Is(err, ErrNone) {
		t.Errorf("%q, %v; want %v", address, err, ErrNone)
	}
}
