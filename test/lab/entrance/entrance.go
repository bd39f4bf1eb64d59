package entrance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/p2pstream/p2pstream/test/lab"
)

// Options of an entrance.
type Options struct {
	// Client reads Services, Secrets, Ingresses and objects of the Gateway API, and writes the status of the latter two. Its scheme
	// knows the Gateway API.
	Client client.Client
	// Proxy is HAProxy by default.
	Proxy Proxy
	// Binary is its program; empty: the one of Debian's package, or what make prepare builds of test/caddy.
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

// Proxy is a program that leads viewers into the cluster.
type Proxy string

// The proxies. Caddy serves no TLSRoutes.
const (
	HAProxy Proxy = "haproxy"
	Caddy   Proxy = "caddy"
)

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
	proxy, err := newProxy(o.Proxy, o.Binary, o.Netns)
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
		case err := <-proxy.over():
			proxy.over() <- err // for stop, which says so
			return nil
		case <-tick.C:
		}
	}
}

// proxy is one that has a folder, and runs from its first configuration on.
type proxy interface {
	// load replaces the configuration, or returns an error and changes nothing. Connections that are open stay.
	load(context.Context, table) error
	over() chan error
	stop() error
}

func newProxy(kind Proxy, binary, netns string) (proxy, error) {
	if kind == Caddy {
		binary, err := caddyBinary(binary)
		if err != nil {
			return nil, err
		}
		return newCaddy(binary, netns)
	}
	return newHAProxy(cmp.Or(binary, haproxyBinary), netns)
}

// caddyBinary is the one given, or bin/caddy of the repository.
func caddyBinary(given string) (string, error) {
	if given != "" {
		return given, nil
	}
	root, err := lab.Root()
	if err != nil {
		return "", fmt.Errorf("finding Caddy: %w", err)
	}
	return filepath.Join(root, "bin", "caddy"), nil
}
