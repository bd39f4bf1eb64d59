// Package config holds the STUN server's configuration and nothing else, so that
// programs which write one, such as the operator, need not import the server.
package config

import (
	"runtime"
	"time"

	"github.com/p2pstream/p2pstream/internal/duration"
	"github.com/p2pstream/p2pstream/internal/validate"
)

// RateTableWays is how many sources share a set of the rate table, and so the size
// of the smallest table.
const RateTableWays = 8

// Config is the configuration of a STUN server. Zero values get defaults when the
// server is created.
type Config struct {
	// Listen is the host:port for UDP and TCP; default ":3478" (RFC 8489 §8.1).
	// With an empty host IPv4 and IPv6 are both served; with port 0 a free port
	// is chosen, the same one for both transports.
	Listen string `json:"listen,omitempty"`
	// AdminListen is the host:port of /metrics, /healthz and /readyz; empty
	// serves none of them.
	AdminListen string `json:"adminListen,omitempty"`
	// Readers is the number of UDP sockets, each with a goroutine of its own,
	// that share the port in each address family; default GOMAXPROCS. Where the
	// platform cannot share a port, one socket is used.
	Readers int `json:"readers,omitempty"`
	// RatePerSource is the number of requests per second that one source (an
	// IPv4 address or an IPv6 /64) may send in the long run; default 2000, which
	// an office behind one address needs when all of it joins at once. A
	// negative value disables the limit.
	RatePerSource float64 `json:"ratePerSource,omitempty"`
	// BurstPerSource is the number of requests that one source may send at once;
	// default five seconds' worth of RatePerSource.
	BurstPerSource float64 `json:"burstPerSource,omitempty"`
	// RateTableSize is the number of sources remembered for the limit; default
	// 65536. The least recently seen one of a set makes room for a new one.
	RateTableSize int `json:"rateTableSize,omitempty"`
	// MaxTCPConns bounds open TCP connections; default 1024.
	MaxTCPConns int `json:"maxTCPConns,omitempty"`
	// MaxTCPConnsPerSource bounds open TCP connections of one source; default 128.
	MaxTCPConnsPerSource int `json:"maxTCPConnsPerSource,omitempty"`
	// TCPIdleTimeoutMs is after how many milliseconds without a complete message
	// a TCP connection is closed; default 10000.
	TCPIdleTimeoutMs int `json:"tcpIdleTimeoutMs,omitempty"`
	// Drain is how long the server keeps answering, and stays ready, after it was told
	// to stop; default 0. A server that viewers are configured with should answer
	// until they are configured with another one.
	Drain duration.Duration `json:"drain,omitzero"`
}

// WithDefaults fills zero values.
func (c Config) WithDefaults() Config {
	if c.Listen == "" {
		c.Listen = ":3478"
	}
	if c.Readers == 0 {
		c.Readers = runtime.GOMAXPROCS(0)
	}
	if c.RatePerSource == 0 {
		c.RatePerSource = 2000
	}
	if c.BurstPerSource == 0 {
		c.BurstPerSource = max(1, 5*c.RatePerSource)
	}
	if c.RateTableSize == 0 {
		c.RateTableSize = 65536
	}
	if c.MaxTCPConns == 0 {
		c.MaxTCPConns = 1024
	}
	if c.MaxTCPConnsPerSource == 0 {
		c.MaxTCPConnsPerSource = min(128, c.MaxTCPConns)
	}
	if c.TCPIdleTimeoutMs == 0 {
		c.TCPIdleTimeoutMs = 10_000
	}
	return c
}

// TCPIdleTimeout is TCPIdleTimeoutMs as a duration.
func (c Config) TCPIdleTimeout() time.Duration {
	return time.Duration(c.TCPIdleTimeoutMs) * time.Millisecond
}

// Validate returns an error for the first invalid field, with a value that works.
func (c Config) Validate() error {
	c = c.WithDefaults()
	return validate.First(
		validate.HostPort(":3478")("config.listen", c.Listen),
		validate.Optional("config.adminListen", c.AdminListen, validate.HostPort(":9090")),
		validate.Between("config.readers", c.Readers, 1, 256),
		validate.Between("config.burstPerSource", c.BurstPerSource, 1, 1e9),
		validate.Between("config.rateTableSize", c.RateTableSize, RateTableWays, 1<<24),
		validate.Between("config.maxTCPConns", c.MaxTCPConns, 1, 1<<20),
		validate.Between("config.maxTCPConnsPerSource", c.MaxTCPConnsPerSource, 1, 1<<20),
		validate.Between("config.tcpIdleTimeoutMs", c.TCPIdleTimeoutMs, 10, 3_600_000),
		validate.NotNegative("config.drain", c.Drain.Std()),
	)
}
