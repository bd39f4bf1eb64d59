package entrance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Options of an entrance.
type Options struct {
	// Client reads Services, Secrets, Ingresses and objects of the Gateway API, and writes the status of the latter two. Its scheme
	// knows the Gateway API.
	Client client.Client
	// Binary is HAProxy; empty: the one of Debian's package.
	Binary string
	// Netns is the network namespace in which it runs; empty: that of the caller.
	Netns string
	// Listen is the address at which it serves, with an IP address that viewers reach.
	Listen string
	// Class of the Ingresses and Gateways that it serves.
	Class string
	// Idle is how long nothing may be sent on a connection; 0 is 60 s.
	Idle time.Duration
	// ProxyProtocol tells upstreams the addresses of viewers.
	ProxyProtocol bool
	// Log is told of what goes wrong; may be nil.
	Log func(error)
}

const (
	// lookEvery is how often the controller looks at the objects.
	lookEvery = 500 * time.Millisecond
	idle      = time.Minute
	// haproxyBinary is where Debian's package has it: the PATH of an ordinary user lacks the folder.
	haproxyBinary = "/usr/sbin/haproxy"
)

// Run serves until ctx ends. It returns the reason for which it could not begin, or for which the proxy failed.
func Run(ctx context.Context, o Options) (err error) {
	o.Idle = cmp.Or(o.Idle, idle)
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("reading address of entrance: %w", err)
	}
	proxy, err := newProxy(cmp.Or(o.Binary, haproxyBinary), o.Netns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proxy.stop()) }()
	c := &controller{Options: o, address: host}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for loaded := (*table)(nil); ; {
		if err := c.sync(ctx, func(t table) error {
			if loaded != nil && reflect.DeepEqual(*loaded, t) {
				return nil
			}
			if err := proxy.load(ctx, t); err != nil {
				return err
			}
			loaded = &t
			return nil
		}); err != nil && ctx.Err() == nil && o.Log != nil {
			o.Log(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-proxy.ended:
			proxy.ended <- err // for stop, which says so
			return nil
		case <-tick.C:
		}
	}
}

// longestFirst are the indexes of routes, those with the longest paths first.
func longestFirst(routes []route) []int {
	all := make([]int, len(routes))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(i, j int) int { return cmp.Compare(len(routes[j].Path), len(routes[i].Path)) })
	return all
}
