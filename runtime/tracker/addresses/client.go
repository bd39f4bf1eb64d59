package addresses

import (
	"context"
	"net/http"
	"net/netip"
)

// Client is who sent a request.
type Client struct {
	// Addr is the client's address, without a zone, and IPv4 where it is one. It is not valid if it is not known.
	Addr netip.Addr
	// Proxied says that a trusted proxy passed the request on: its headers about the request are true.
	Proxied bool
}

type clientKey struct{}

// With returns a context in which From finds a client.
func With(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// From returns the client of a request: that of With, or else the other end of the connection.
func From(r *http.Request) Client {
	if c, ok := r.Context().Value(clientKey{}).(Client); ok {
		return c
	}
	return Client{Addr: Peer(r.RemoteAddr)}
}

// Peer returns the address of a remote host:port, which need not be one client's alone; the zero address if it cannot be
// parsed.
func Peer(remote string) netip.Addr {
	from, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}
