// Command pause holds a pod's namespaces open: it does nothing until it is told to stop. The cluster
// has no registry to fetch the usual pause image from, so it brings its own.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}
