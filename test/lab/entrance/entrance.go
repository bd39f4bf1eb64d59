package entrance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Options of an entrance.
type Options struct {
	// Client reads Services, Secrets, Ingresses and objects of the Gateway API, and writes the status of the latter two. Its scheme
	// knows the Gateway API.
	Client client.Client
	// Binary is bin/caddy.
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
)

// Run serves until ctx ends. It returns the reason for which it could not begin, or for which the proxy failed.
func Run(ctx context.Context, o Options) (err error) {
	o.Idle = cmp.Or(o.Idle, idle)
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return fmt.Errorf("reading address of entrance: %w", err)
	}
	proxy, err := startCaddy(ctx, o.Binary, o.Netns)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, proxy.stop()) }()
	c := &controller{Options: o, address: host}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for loaded := ""; ; {
		if err := c.sync(ctx, func(t table) error {
			config, err := t.config(proxy.socket())
			if err != nil || string(config) == loaded {
				return err
			}
			if err := proxy.load(ctx, config); err != nil {
				return err
			}
			loaded = string(config)
			return nil
		}); err != nil && ctx.Err() == nil && o.Log != nil {
			o.Log(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sorted are the routes with the longest paths first.
func sorted(routes []route) []route {
	return slices.SortedStableFunc(slices.Values(routes), func(a, b route) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), strings.Compare(a.Host, b.Host), strings.Compare(a.Path, b.Path))
	})
}
