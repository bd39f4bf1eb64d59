// Command seeder holds a stream ahead of its audience and uploads it to viewers.
//
//	go run ./examples/seeder -source http://127.0.0.1:9000/live/master.m3u8 -tracker ws://127.0.0.1:8000/announce -token-file seeder.token
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/p2pstream/p2pstream/runtime/seeder"
)

func main() {
	source := flag.String("source", "", "manifest URL")
	tracker := flag.String("tracker", "", "WebSocket URL of the tracker")
	token := flag.String("token-file", "", "file with the stream's seeder token")
	loopback := flag.Bool("loopback", false, "also connect over 127.0.0.1, for everything on one machine")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	s, err := seeder.New(seeder.Config{
		Source: *source, Trackers: []string{*tracker}, TokenFile: *token, Loopback: *loopback,
		CacheBytes: 256 << 20, UplinkBps: 500_000_000, Drain: seeder.Duration(5 * time.Second),
	}, slog.Default(), nil)
	if err != nil {
		log.Fatal(err) // names the field that is wrong
	}
	if err := s.Run(ctx); err != nil { // returns nil once ctx has ended and uploads are complete
		log.Fatal(err)
	}
}
