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

// The ports lie below those that the kernel chooses itself, 32768 and up: no outgoing connection can occupy one, and a
// program that is restarted finds its port free.
const (
	first = 20_000
	count = 12_000
)

// ErrNone says that every port is in use, or that the host is no address of this machine.
var ErrNone = errors.New("no port is free")

// tried counts the ports that were tried.
var tried atomic.Int64

// apart is how many ports lie between the first ones of two processes whose ids are next to each other.
const apart = 97

// next is the port to try next.
func next() int { return first + int((int64(os.Getpid())*apart+tried.Add(1))%count) }

// On returns host:port, free for TCP and UDP. Within this process the same port is returned again only after all others:
// two tests that do not listen yet cannot get the same one. host is an IP address of this machine. Error: ErrNone.
func On(host string) (string, error) {
	for range count {
		if address := net.JoinHostPort(host, strconv.Itoa(next())); available(address) {
			return address, nil
		}
	}
	return "", fmt.Errorf("finding a port on %s: %w", host, ErrNone)
}

// available reports whether no program listens on host:port, over TCP and UDP.
func available(address string) bool {
	var c net.ListenConfig
	tcp, err := c.Listen(context.Background(), "tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = tcp.Close() }() // it only had to be possible
	udp, err := c.ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return false
	}
	_ = udp.Close() // likewise
	return true
}
