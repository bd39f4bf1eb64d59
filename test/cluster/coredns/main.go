// Command coredns is a CoreDNS with the few plugins a test cluster needs: cluster names, logged
// errors and a readiness probe. It is a module of its own because it upgrades dependencies that Kubernetes pins.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// The order is the order in which a query passes through the plugins.
	dnsserver.Directives = []string{"errors", "ready", "kubernetes"}
	coremain.Run()
}
