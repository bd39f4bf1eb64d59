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

// allowed tells whether a request names this proxy in its Host header. A hostile
// page can let its own name resolve to 127.0.0.1 (DNS rebinding) and then read
// from the proxy as from its own server, but the Host header shows that name. Only
// old players, and no browser, send none.
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
	// An address cannot be rebound, but only our own is allowed.
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
