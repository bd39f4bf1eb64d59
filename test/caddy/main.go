// Command caddy is the proxy before the entrances of the tests: Caddy with what an ingress controller or a Gateway uses of it,
// and no more: unused has what Caddy compiles in and no test of ours calls, a certificate authority and exporters of telemetry, which
// are two fifths of its packages. It has a Go module of its own, whose dependencies never reach the product.
//
// It begins with an empty configuration and is given others at its admin socket, as JSON:
//
//	caddy UNIX-SOCKET
//
// It ends with SIGTERM.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	_ "github.com/caddyserver/caddy/v2/modules/caddytls"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: caddy UNIX-SOCKET")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "caddy:", err)
		os.Exit(1)
	}
}

func run(socket string) error {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	caddy.RegisterModule(idle{})
	admin := map[string]any{"listen": "unix/" + socket, "enforce_origin": false, "config": map[string]any{"persist": false}}
	config, err := json.Marshal(map[string]any{"admin": admin})
	if err != nil {
		return fmt.Errorf("encoding configuration: %w", err)
	}
	if err := caddy.Load(config, true); err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	<-end
	return caddy.Stop()
}
