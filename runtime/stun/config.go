package stun

import (
	"fmt"
	"net"
	"runtime"
	"strconv"
	"time"
)

// Config says how a STUN server listens and what it allows. Zero values get
// defaults in New.
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
	// negative value switches the limit off.
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
	// TCPIdleTimeoutMs closes a TCP connection on which no whole message came
	// for so many milliseconds; default 10000.
	TCPIdleTimeoutMs int `json:"tcpIdleTimeoutMs,omitempty"`
}

// withDefaults fills zero values.
func (c Config) withDefaults() Config {
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

// tcpIdleTimeout is TCPIdleTimeoutMs as a duration.
func (c Config) tcpIdleTimeout() time.Duration {
	return time.Duration(c.TCPIdleTimeoutMs) * time.Millisecond
}

// Validate says what is wrong with c, naming the field and a value that works.
func (c Config) Validate() error {
	c = c.withDefaults()
	if err := validHostPort("listen", c.Listen, ":3478"); err != nil {
		return err
	}
	if c.AdminListen != "" {
		if err := validHostPort("adminListen", c.AdminListen, ":9090"); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name     string
		value    float64
		min, max float64
	}{
		{"readers", float64(c.Readers), 1, 256},
		{"burstPerSource", c.BurstPerSource, 1, 1e9},
		{"rateTableSize", float64(c.RateTableSize), setWays, 1 << 24},
		{"maxTCPConns", float64(c.MaxTCPConns), 1, 1 << 20},
		{"maxTCPConnsPerSource", float64(c.MaxTCPConnsPerSource), 1, 1 << 20},
		{"tcpIdleTimeoutMs", float64(c.TCPIdleTimeoutMs), 10, 3_600_000},
	} {
		if !(f.value >= f.min && f.value <= f.max) {
			return fmt.Errorf("config.%s: %v is outside %v to %v", f.name, f.value, f.min, f.max)
		}
	}
	return nil
}

// validHostPort reports whether v is an optional host with a port number.
func validHostPort(field, v, example string) error {
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("config.%s: %q is not host:port; use %q", field, v, example)
	}
	return nil
}
