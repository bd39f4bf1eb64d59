package main

import (
	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/seeder"
)

func seederCommand(log *logFlags) *cobra.Command {
	return seederFlags(func(c *cobra.Command, cfg seeder.Config) error {
		tradeMemoryForCPU()
		return serve(c, log, cfg, seeder.New)
	})
}

// seederFlags is the command with its flags; run gets the configuration they make.
func seederFlags(run func(*cobra.Command, seeder.Config) error) *cobra.Command {
	var cfg seeder.Config
	c := &cobra.Command{
		Use:   "seeder",
		Short: "Hold a stream's segments ahead of the audience and upload them",
		Example: `  p2pstream seeder --source https://origin.example.com/live/master.m3u8 \
    --tracker ws://tracker.example.com:8000/announce --token-file seeder.token`,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, cfg) },
	}
	f := c.Flags()
	f.StringVar(&cfg.Source, "source", "", "manifest URL")
	f.StringVar(&cfg.SwarmID, "swarm-id", "", "name of the swarm (default: what players derive from the manifest URL)")
	f.StringArrayVar(&cfg.Trackers, "tracker", nil, "tracker URL, ws:// or wss://; can be repeated")
	f.StringArrayVar(&cfg.ForeignTrackers, "foreign-tracker", nil, "tracker of others, announced to without the token; can be repeated")
	f.StringArrayVar(&cfg.STUN, "stun", nil, "STUN server, stun:host:port; can be repeated")
	f.StringVar(&cfg.ICEListen, "ice-listen", "", "UDP host:port for all connections (default: any free port)")
	f.StringVar(&cfg.ICEPortsFile, "ice-ports-file", "", "JSON list of UDP ports, of which this seeder listens on that of its --ordinal")
	f.IntVar(&cfg.Ordinal, "ordinal", 0, "this seeder's place in the list of ports, from 0")
	f.StringArrayVar(&cfg.Advertise, "advertise", nil, "IP that viewers reach this seeder at (default: the interfaces' own); can be repeated")
	f.StringVar(&cfg.HeadersDir, "headers-dir", "", "directory with one file for each header that the origin is asked with")
	f.StringVar(&cfg.CAFile, "ca-file", "", "PEM file with the origin's certificate authorities (default: the system's)")
	f.StringVar(&cfg.TokenFile, "token-file", "", "file with the stream's seeder token")
	f.IntVar(&cfg.MaxPeers, "max-peers", seeder.DefaultMaxPeers, "connections at most")
	f.Var((*rateValue)(&cfg.UplinkBps), "uplink", "upload at most, as in 500Mbit; 0 for no limit")
	cfg.CacheBytes = seeder.DefaultCache
	f.Var((*sizeValue)(&cfg.CacheBytes), "cache", "bytes of segments held at most")
	f.StringArrayVar(&cfg.Renditions, "rendition", nil, "rendition to hold, as in 720p (default: all); can be repeated")
	f.StringVar(&cfg.AdminListen, "admin-listen", ":9091", "host:port of /metrics, /healthz and /readyz; empty for none")
	f.BoolVar(&cfg.Loopback, "loopback", false, "also offer 127.0.0.1, for everything on one machine")
	f.BoolVar(&cfg.OneSocketPerSwarm, "one-socket-per-swarm", false, "for trackers of others that close a socket for one bad message")
	f.Var((*durationValue)(&cfg.Drain), "drain", "how long to serve on after SIGTERM at most (default 10s)")
	withConfig(c, &cfg)
	return c
}
