package descriptions

import (
	"bytes"
	"net/netip"
)

// Hosts says how a description gives the addresses that its peer has in its own network: those of its host candidates
// (RFC 8445 §5.1.1.1). Browsers hide them behind names that end in .local, which nothing resolves outside of the peer's
// own subnet.
type Hosts uint8

// What a description can say of them.
const (
	// NoHosts: there is no host candidate.
	NoHosts Hosts = iota
	// HostsShown: at least one host candidate has an address.
	HostsShown
	// HostsReflected: all host candidates have names, and a STUN server has told the peer an address of its own network: a
	// private IPv4 address, or an IPv6 one, since there is hardly any NAT with IPv6.
	HostsReflected
	// HostsHidden: all host candidates have names, and no other candidate leads into the peer's network.
	HostsHidden
)

// Candidate types (RFC 8839 §5.1).
var (
	host      = []byte("host")
	reflexive = []byte("srflx")
)

// seenHosts is what the candidates up to some line say of a peer's own network.
type seenHosts struct{ names, addresses, reflected bool }

// add takes one candidate that may be relayed.
func (s *seenHosts) add(address, kind []byte) {
	_, named := cutLocal(address)
	switch {
	case bytes.EqualFold(kind, host) && named:
		s.names = true
	case bytes.EqualFold(kind, host):
		s.addresses = true
	case bytes.EqualFold(kind, reflexive) && !named && !s.reflected:
		a, err := netip.ParseAddr(string(address))
		a = a.Unmap()
		s.reflected = err == nil && (a.Is6() || a.IsPrivate())
	}
}

func (s *seenHosts) hosts() Hosts {
	switch {
	case s.addresses:
		return HostsShown
	case !s.names:
		return NoHosts
	case s.reflected:
		return HostsReflected
	}
	return HostsHidden
}
