// Command viewer plays a stream without showing it, and prints where its bytes come from.
//
//	go run ./examples/viewer -config-url http://127.0.0.1:8000/v1/config
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/runtime/viewer/client"
)

func main() {
	url := flag.String("config-url", "", "URL of /v1/config at the stream's tracker")
	loopback := flag.Bool("loopback", false, "also connect over 127.0.0.1, for everything on one machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	c, err := client.New(client.Config{ConfigURL: *url, Loopback: *loopback}, nil, slog.Default(), nil)
	if err != nil {
		log.Fatal(err) // names the field that is wrong
	}
	go func() {
		<-c.Known() // the tracker has told which stream it is
		for range time.Tick(time.Second) {
			n := c.Engine().Counters()
			fmt.Printf("origin %d, seeders %d, viewers %d bytes\n", n.HTTP, n.Seeder, n.Viewer)
		}
	}()
	if err := c.Run(ctx); err != nil { // returns nil once ctx has ended and peers were told
		log.Fatal(err)
	}
}
