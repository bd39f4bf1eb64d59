// Package freeport finds addresses that a program can be told to listen on, for tests that must know them before the
// program runs, or give them to the program that comes after it.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// The ports lie below those that the kernel gives to whoever does not care, 32768 and up: no socket on its way out can
// sit on one, and a program that is started again finds its own free.
const (
	first = 20_000
	count = 12_000
)

// ErrNone says that every port is taken, or that the host is not of this machine.
var ErrNone = errors.New("no port is free")

// tried counts the ports that were tried.
var tried atomic.Int64

// apart is how far from each other processes with neighboring numbers begin.
const apart = 97

// next is the port to try next.
func next() int { return first + int((int64(os.Getpid())*apart+tried.Add(1))%count) }

// On returns host:port, free for TCP and UDP. Nobody else in this process is given the same one before all others have
// been tried: two tests that have asked but do not listen yet cannot meet.
func On(host string) (string, error) {
	for range count {
		if address := net.JoinHostPort(host, strconv.Itoa(next())); free(address) {
			return address, nil
		}
	}
	return "", fmt.Errorf("finding a port on %s: %w", host, ErrNone)
}

func free(address string) bool {
	var c net.ListenConfig
	tcp, err := c.Listen(context.Background(), "tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = tcp.Close() }() // it was only a question
	udp, err := c.ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return false
	}
	_ = udp.Close() // likewise
	return true
}
