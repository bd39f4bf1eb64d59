package config

import (
	"net"
	"net/netip"
	"strings"
)

// CandidatePrefixes returns CandidateRanges, which must be valid.
func (c Config) CandidatePrefixes() (all []netip.Prefix) {
	for _, r := range c.CandidateRanges {
		if p, err := netip.ParsePrefix(r); err == nil {
			all = append(all, p.Masked())
		}
	}
	return all
}

// LoopbackCandidates reports whether candidates at loopback addresses are relayed.
func (c Config) LoopbackCandidates() bool {
	return c.AllowLoopbackCandidates || onLoopback(c.Listen) && (c.InternalListen == "" || onLoopback(c.InternalListen))
}

// onLoopback reports whether only this machine can reach host:port.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
