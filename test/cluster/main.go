// Command cluster runs real multi-node Kubernetes clusters on one Linux machine, out of Go modules and Debian
// packages: no registry, no Docker. Its README says what it is for and what it promises.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/p2pstream/p2pstream/test/cluster/internal/commands"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := commands.Execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
