package proxy

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hosts knows the names of this proxy.
type hosts struct{ names map[string]bool }

// newHosts takes the address listened on, as configured, and further names.
func newHosts(listen string, further []string) *hosts {
	h := &hosts{names: map[string]bool{}}
	if host, _, err := net.SplitHostPort(listen); err == nil {
		further = append([]string{host}, further...)
	}
	for _, name := range further {
		if name = plainHost(name); name != "" {
			h.names[name] = true
		}
	}
	return h
}

// allowed tells whether a request was made to this proxy by a name that only it
// can have. A page of a stranger can make its own name point to 127.0.0.1 and
// then read from here as from itself, but the Host header gives that name away.
// Only old players, and no browser, send none.
func (h *hosts) allowed(r *http.Request) bool {
	if r.Host == "" {
		return !r.ProtoAtLeast(1, 1)
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = plainHost(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || h.names[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	// An address is no name that could be made to point elsewhere, but only our own is ours.
	return ip.IsLoopback() || ip.Unmap() == localAddress(r)
}

// localAddress is the address at which the request's connection arrived.
func localAddress(r *http.Request) netip.Addr {
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok {
		return addr.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// plainHost is a host as it is compared: lower case, without brackets and the
// dot of the root.
func plainHost(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return host
}
