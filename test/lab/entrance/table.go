package entrance

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// route leads requests for a host, below a path, to an upstream.
type route struct {
	Host, Path string // a path of "/" or "" is all
	Upstream   string // host:port
	Through    bool   // TLS passes through; the path means nothing
}

// plain is what hosts and paths are made of. Others could end a line of the configuration, or a word of it.
var plain = regexp.MustCompile(`^[A-Za-z0-9._~/-]*$`)

// check returns an error for a route that cannot be written.
func (r route) check() error {
	if r.Host == "" || !plain.MatchString(r.Host) || !plain.MatchString(r.Path) {
		return fmt.Errorf("host %q or path %q is not one that this entrance serves", r.Host, r.Path)
	}
	return nil
}

// certificate of a Secret, in PEM.
type certificate struct{ Cert, Key string }

// table is all that the proxy has to know.
type table struct {
	Listen        string
	Idle          time.Duration
	ProxyProtocol bool
	Routes        []route
	Certificates  []certificate
}

// streamsStay is how long a WebSocket outlives the configuration under which it began.
const streamsStay = time.Hour

// longestFirst are the indexes of routes, those with the longest paths first.
func longestFirst(routes []route) []int {
	all := make([]int, len(routes))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(i, j int) int { return cmp.Compare(len(routes[j].Path), len(routes[i].Path)) })
	return all
}
