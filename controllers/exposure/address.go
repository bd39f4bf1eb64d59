package exposure

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Address is where viewers reach a target.
type Address struct {
	// Host is a DNS name or an IP address.
	Host string `json:"host"`
	// Port, 1 to 65535.
	Port int32 `json:"port"`
	// TLS: viewers speak TLS to this address, whether it ends in the pod or in front of it.
	TLS bool `json:"tls,omitempty"`
	// Path that precedes the paths of the tracker, such as /town-hall; empty where there is none.
	Path string `json:"path,omitempty"`
	// Starting: the pod behind it is not ready yet, but is about to be. Only what checks an address before it
	// hands it out may use one that is starting.
	Starting bool `json:"starting,omitempty"`
}

// HostPort is the address as host:port, with brackets around an IPv6 address.
func (a Address) HostPort() string {
	return net.JoinHostPort(a.Host, strconv.FormatInt(int64(a.Port), 10))
}

// The ports that URLs need not name.
const (
	portHTTP  = 80
	portHTTPS = 443
)

// HTTP is the URL of a path at the address: http or https.
func (a Address) HTTP(path string) string { return a.url("http", path) }

// WebSocket is the URL of a path at the address: ws or wss.
func (a Address) WebSocket(path string) string { return a.url("ws", path) }

func (a Address) url(scheme, path string) string {
	host, usual := a.HostPort(), int32(portHTTP)
	if a.TLS {
		scheme, usual = scheme+"s", portHTTPS
	}
	if a.Port == usual {
		host = strings.TrimSuffix(host, ":"+strconv.FormatInt(int64(usual), 10))
	}
	return scheme + "://" + host + a.Path + path
}

// Choose returns the address with the given host if there is one, so that viewers keep the address that they know,
// and otherwise the first. It returns false when there is none.
func Choose(addresses []Address, priorHost string) (Address, bool) {
	if i := slices.IndexFunc(addresses, func(a Address) bool { return a.Host == priorHost }); i >= 0 {
		return addresses[i], true
	}
	if len(addresses) == 0 {
		return Address{}, false
	}
	return addresses[0], true
}

// canonical returns the one spelling of an IP address that has several, and anything else unchanged.
func canonical(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	return ip.String()
}
