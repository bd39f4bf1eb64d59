// Command proxy lets any HLS player on this machine take part in a swarm: open the URL that it prints.
//
//	go run ./examples/proxy -config-url http://127.0.0.1:8000/v1/config
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/p2pstream/p2pstream/runtime/viewer/client"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
)

func main() {
	url := flag.String("config-url", "", "URL of /v1/config at the stream's tracker")
	listen := flag.String("listen", proxy.DefaultListen, "host:port that players open")
	loopback := flag.Bool("loopback", false, "also connect over 127.0.0.1, for everything on one machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	p, err := proxy.New(proxy.Config{
		Config:  client.Config{ConfigURL: *url, Loopback: *loopback},
		Options: proxy.Options{Listen: *listen},
	}, slog.Default(), nil)
	if err != nil {
		log.Fatal(err) // names the field that is wrong
	}
	go func() {
		<-p.Ready()
		fmt.Println(p.URL())
	}()
	if err := p.Run(ctx); err != nil { // returns nil once ctx has ended and requests are answered
		log.Fatal(err)
	}
}
