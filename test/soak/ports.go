package main

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// ports hands out addresses that programs can listen on. They lie below those
// that the kernel gives to whoever does not care, so that a program which is
// restarted finds its own free again.
type ports struct {
	mu     sync.Mutex
	random *rand.Rand
	given  map[int]bool
}

func newPorts() *ports {
	return &ports{random: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), given: map[int]bool{}}
}

// next is host:port, free for TCP and UDP.
func (p *ports) next() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		port := 20000 + p.random.IntN(10000)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if !p.given[port] && free(address) {
			p.given[port] = true
			return address
		}
	}
}

func free(address string) bool {
	var c net.ListenConfig
	tcp, err := c.Listen(context.Background(), "tcp", address)
	if err != nil {
		return false
	}
	_ = tcp.Close() // it was opened to see whether it can be
	udp, err := c.ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return false
	}
	_ = udp.Close() // as above
	return true
}
