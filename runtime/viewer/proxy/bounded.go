package proxy

import (
	"net"
	"sync"
)

// bounded is a listener that closes connections beyond a limit.
type bounded struct {
	net.Listener
	slots   chan struct{}
	metrics *metrics
}

func newBounded(l net.Listener, most int, m *metrics) *bounded {
	return &bounded{Listener: l, slots: make(chan struct{}, most), metrics: m}
}

// Accept returns the next connection for which there is room.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.slots <- struct{}{}:
			b.metrics.connections.Inc()
			return &counted{Conn: c, done: func() { <-b.slots; b.metrics.connections.Dec() }}, nil
		default:
			b.metrics.refused.WithLabelValues("connections").Inc()
			_ = c.Close() // it is beyond the limit
		}
	}
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	once sync.Once
	done func()
}

// Close closes the connection.
func (c *counted) Close() error {
	defer c.once.Do(c.done)
	return c.Conn.Close()
}
