package descriptions

import (
	"bytes"
	"net/netip"
)

// Rules say which addresses candidates may have. Link-local, multicast, broadcast and unspecified addresses are never
// allowed, and names only if they end in .local (RFC 6762): browsers hide their addresses behind such names, which
// nothing outside of their own link resolves.
type Rules struct {
	// Ranges are the allowed addresses; none means all others.
	Ranges []netip.Prefix
	// Loopback allows loopback addresses, in any ranges.
	Loopback bool
}

var (
	broadcast   = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	thisNetwork = netip.PrefixFrom(netip.AddrFrom4([4]byte{}), 8)    // RFC 1122 §3.2.1.3
	compatible  = netip.PrefixFrom(netip.AddrFrom16([16]byte{}), 96) // RFC 4291 §2.5.5.1, not in use
	translated  = netip.MustParsePrefix("64:ff9b::/96")              // RFC 6052: an IPv4 address in the last four bytes
	sixToFour   = netip.MustParsePrefix("2002::/16")                 // RFC 3056: an IPv4 address in bytes 2 to 5
)

// Allows reports whether a candidate may have an address.
func (r *Rules) Allows(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	if a.IsLoopback() {
		return r.Loopback
	}
	if !unicast(a) || !unicast(embedded(a)) {
		return false
	}
	for _, p := range r.Ranges {
		if p.Contains(a) {
			return true
		}
	}
	return len(r.Ranges) == 0
}

// unicast reports whether an address may be one host's, beyond its own link.
func unicast(a netip.Addr) bool {
	return !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast() && !a.IsLoopback() && a != broadcast &&
		!thisNetwork.Contains(a) && !compatible.Contains(a)
}

// embedded returns the IPv4 address to which packets to an IPv6 address are translated or tunnelled; a itself if there is
// none.
func embedded(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	b := a.As16()
	switch {
	case translated.Contains(a):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return a
}

// allowsText is Allows for the connection address of a candidate (RFC 8839 §5.1).
func (r *Rules) allowsText(text []byte) bool {
	const longest = 64 // bytes of a name or an address
	if len(text) > longest {
		return false
	}
	if name, ok := cutLocal(text); ok {
		return label(name)
	}
	a, err := netip.ParseAddr(string(text))
	return err == nil && r.Allows(a)
}

func cutLocal(text []byte) (name []byte, ok bool) {
	const suffix = ".local"
	n := len(text) - len(suffix)
	if n <= 0 || !bytes.EqualFold(text[n:], []byte(suffix)) {
		return nil, false
	}
	return text[:n], true
}

// label reports whether a text is one label of a name: a name with several may be resolved by other means than
// multicast DNS.
func label(text []byte) bool {
	for _, c := range text {
		if letter := c | 0x20; (letter < 'a' || letter > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(text) > 0
}
