package loader_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/manifest"
	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/origin"
)

// startOrigin serves a live stream and returns its manifest's URL; it ends with ctx.
func startOrigin(ctx context.Context) string {
	server, err := origin.New(origin.Config{Listen: "127.0.0.1:0"}, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = server.Run(ctx) }()
	<-server.Ready()
	return "http://" + server.Addr().String() + "/live/seg_1/window_10/ren_1/master.m3u8"
}

// await polls a condition: an engine tells its state when it is asked.
func await(condition func() bool) {
	for tick := time.NewTicker(20 * time.Millisecond); !condition(); {
		<-tick.C
	}
}

// A seeder holds every rendition that it selects. Without trackers it meets no peers.
func Example_seeder() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: startOrigin(ctx)})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	engine, err := loader.New(loader.Config{Role: loader.RoleSeeder, Source: source, StoreBytes: 64 << 20}, nil, nil, nil)
	if err != nil {
		log.Fatal(err) // a *loader.ConfigError names the field
	}
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	await(func() bool {
		r := engine.Status().Renditions
		return len(r) == 1 && r[0].Known > 0 && r[0].Held == r[0].Known
	})
	fmt.Println(engine.Status().Renditions[0].Name, "is held")
	stop()
	fmt.Println("ended with", <-ended)
	// Output:
	// 240p is held
	// ended with <nil>
}

// A viewer plays the first rendition by itself, here with peers that a tracker introduces, if it can be reached.
func Example_viewer() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: startOrigin(ctx)})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	node, err := mesh.NewNode(mesh.NodeConfig{Loopback: true}, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = node.Close() }()
	engine, err := loader.New(loader.Config{
		Source: source, SwarmID: "town-hall", Trackers: []string{"ws://127.0.0.1:1/announce"}, // where nothing listens
	}, node, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	await(func() bool { return engine.Playback().Played > 0 })
	n := engine.Counters()
	fmt.Println("from the origin:", n.HTTP > 0, "from peers:", n.Seeder+n.Viewer > 0)
	stop()
	fmt.Println("ended with", <-ended)
	// Output:
	// from the origin: true from peers: false
	// ended with <nil>
}

// On demand an engine fetches what a player asks for: this is what a proxy is made of. Package viewer/proxy is a whole one.
func Example_proxy() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	source, err := manifest.NewSource(manifest.SourceConfig{URL: startOrigin(ctx)})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	engine, err := loader.New(loader.Config{Source: source, OnDemand: true}, nil, nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = engine.Run(ctx) }()
	<-engine.Loaded()
	if _, err := engine.Watch(ctx, "http://127.0.0.1:1/other.m3u8"); errors.Is(err, loader.ErrUnknownRendition) {
		fmt.Println("there is no such rendition")
	}
	p, err := source.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	track, err := engine.Watch(ctx, p.Renditions[0].URI)
	if err != nil {
		log.Fatal(err)
	}
	defer track.Close()
	playlist, _, err := track.Playlist(ctx, time.Second)
	if err != nil {
		log.Fatal(err)
	}
	segment, err := track.Open(ctx, playlist.Segments[0].Key())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = segment.Close() }()
	bytes, err := io.Copy(io.Discard, segment)
	fmt.Println("a segment arrived:", bytes > 0, err)
	// Output:
	// there is no such rendition
	// a segment arrived: true <nil>
}

// Errors of New are *loader.ConfigError, and those of the origin are *manifest.Error.
func ExampleConfigError() {
	_, err := loader.New(loader.Config{}, nil, nil, nil)
	var wrong *loader.ConfigError
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Field, "-", wrong.Problem)
	}
	source, err := manifest.NewSource(manifest.SourceConfig{URL: "http://127.0.0.1:1/master.m3u8"})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	_, err = source.Load(context.Background())
	var failed *manifest.Error
	fmt.Println(errors.As(err, &failed), manifest.ReasonOf(err))
	// Output:
	// source - is missing; create it with manifest.NewSource
	// true Unreachable
}
