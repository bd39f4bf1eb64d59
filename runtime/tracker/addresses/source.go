package addresses

import (
	"net/http"
	"net/netip"
	"strings"
)

// Problem is why a trusted proxy's headers do not say who the client is. The client then counts as the last proxy that is
// known.
type Problem string

// The problems.
const (
	// Conflict: Forwarded and X-Forwarded-For name different clients. Proxies set one of them and pass the other on, so it
	// may be the client's claim.
	Conflict Problem = "conflict"
	// Unreadable: an entry is not an address.
	Unreadable Problem = "unreadable"
	// TooManyHops: there are more trusted proxies than maxHops.
	TooManyHops Problem = "hops"
)

// Problems are all of them.
var Problems = []Problem{Conflict, Unreadable, TooManyHops}

// maxHops is how many proxies a request may have passed.
const maxHops = 32

// Source finds the clients of requests behind proxies. Only what trusted proxies say is believed. Its fields must not change
// while it is used.
type Source struct {
	// Headers says that proxies name the client in Forwarded (RFC 7239 §4) or X-Forwarded-For.
	Headers bool
	// Trusted are the addresses of the proxies.
	Trusted []netip.Prefix
	// Problem, if not nil, is called for a request whose headers do not say who the client is.
	Problem func(Problem)
}

// Trusts reports whether an address belongs to a trusted proxy.
func (s *Source) Trusts(addr netip.Addr) bool {
	if s == nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	for _, p := range s.Trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Client returns who sent a request that came from peer, the other end of the connection. The headers of a peer that is not
// trusted are not read. Each proxy adds the address that it was reached from at the end, so lists are read from there, past
// trusted proxies only: what stands before the first other address is that client's claim.
func (s *Source) Client(r *http.Request, peer netip.Addr) Client {
	if s == nil || !s.Headers || !s.Trusts(peer) {
		return Client{Addr: peer}
	}
	forwarded, one := r.Header["Forwarded"]
	listed, other := r.Header["X-Forwarded-For"]
	addr := peer
	var problem Problem
	if one {
		addr, problem = s.walk(peer, elements(forwarded))
	}
	if other {
		second, wrong := s.walk(peer, strings.Split(strings.Join(listed, ","), ","))
		switch {
		case problem != "": // the first one decides
		case wrong != "":
			addr, problem = second, wrong
		case one && addr != second:
			addr, problem = peer, Conflict
		default:
			addr = second
		}
	}
	if problem != "" && s.Problem != nil {
		s.Problem(problem)
	}
	return Client{Addr: addr, Proxied: true}
}

// walk goes from the peer through a list of nodes, the last one first, to the first address that is not a proxy's.
func (s *Source) walk(at netip.Addr, nodes []string) (netip.Addr, Problem) {
	for hop := 1; len(nodes) > 0 && s.Trusts(at); hop++ {
		if hop > maxHops {
			return at, TooManyHops
		}
		next, ok := node(nodes[len(nodes)-1])
		if !ok {
			return at, Unreadable
		}
		at, nodes = next, nodes[:len(nodes)-1]
	}
	return at, ""
}

// node reads an address as proxies write it: with or without a port, IPv6 in brackets or not (RFC 7239 §6).
func node(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "["); ok {
		text, _, ok = strings.Cut(inner, "]")
		if !ok {
			return netip.Addr{}, false
		}
	} else if strings.Count(text, ":") == 1 {
		text, _, _ = strings.Cut(text, ":")
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap().WithZone(""), err == nil
}

// elements returns the value of `for` in each element of Forwarded headers, empty if it has none (RFC 7239 §4: elements are
// separated by commas, their pairs by semicolons; values may be quoted strings). If a quote is open at the end it returns one
// empty value: a client that leaves one open could hide what proxies add behind it.
func elements(values []string) (nodes []string) {
	list, ok := split(strings.Join(values, ","), ',')
	if !ok {
		return []string{""}
	}
	for _, element := range list {
		found := ""
		pairs, _ := split(element, ';')
		for _, pair := range pairs {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if strings.EqualFold(name, "for") {
				found = unquote(value)
			}
		}
		nodes = append(nodes, found)
	}
	return nodes
}

// split cuts a text at separators outside of quotes. ok is false if a quote is open at the end.
func split(text string, separator byte) (parts []string, ok bool) {
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return append(parts, text[from:]), !quoted
}

// unquote returns the content of a quoted string, in which no address needs an escape.
func unquote(text string) string {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}
