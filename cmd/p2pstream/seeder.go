package main

import (
	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/seeder"
)

func seederCommand(log *logFlags) *cobra.Command {
	return seederFlags(func(c *cobra.Command, cfg seeder.Config) error {
		tradeMemoryForCPU()
		limitMemory(cfg.Memory())
		return serve(c, log, cfg, seeder.New)
	})
}

// seederFlags returns the command with its flags; run gets the resulting configuration.
func seederFlags(run func(*cobra.Command, seeder.Config) error) *cobra.Command {
	var cfg seeder.Config
	c := &cobra.Command{
		Use:   "seeder",
		Short: "Run a seeder, which downloads a stream ahead of its viewers and uploads it to them",
		Example: `  p2pstream seeder --source https://origin.example.com/live/master.m3u8 \
    --tracker ws://tracker.example.com:8000/announce --token-file seeder.token
  p2pstream seeder --join berlin.join.json`,
		RunE: func(c *cobra.Command, _ []string) error { return run(c, cfg) },
	}
	f := c.Flags()
	f.StringVar(&cfg.Source, "source", "", "manifest URL")
	f.StringVar(&cfg.Format, "format", "", "format of the manifest: HLS, DASH or Auto (default Auto: as the manifest itself shows)")
	f.StringVar(&cfg.SwarmID, "swarm-id", "", "swarm name (default: what players derive from the manifest URL)")
	f.StringArrayVar(&cfg.Trackers, "tracker", nil, "tracker URL, ws:// or wss://; may be repeated")
	f.StringArrayVar(&cfg.ForeignTrackers, "foreign-tracker", nil, "URL of a third-party tracker, which does not get the token; may be repeated")
	f.StringArrayVar(&cfg.STUN, "stun", nil, "STUN server, stun:host:port; may be repeated")
	f.StringVar(&cfg.ICEListen, "ice-listen", "", "UDP host:port for all peer connections (default: any free port)")
	f.StringVar(&cfg.ICEPortsFile, "ice-ports-file", "", "file with a JSON list of UDP ports; the seeder listens on the one at index --ordinal")
	f.IntVar(&cfg.Ordinal, "ordinal", 0, "index of this seeder in the list of ports, from 0")
	f.StringArrayVar(&cfg.Advertise, "advertise", nil, "IP address at which viewers reach this seeder (default: those of its interfaces); may be repeated")
	f.StringVar(&cfg.AdvertiseFile, "advertise-file", "", "file with a JSON object of lists of addresses and host names; the seeder advertises those at --advertise-name, or else --advertise")
	f.StringVar(&cfg.AdvertiseName, "advertise-name", "", "name of this seeder in the file of addresses, such as that of its node or pod")
	f.StringVar(&cfg.HeadersDir, "headers-dir", "", "directory of HTTP headers for requests to the origin: one file per header, named like it")
	f.StringVar(&cfg.CAFile, "ca-file", "", "PEM file with the certificate authorities of the origin (default: those of the system)")
	f.StringArrayVar(&cfg.SignedPaths, "signed-path", nil, "start of URL paths in which * stands for what a signature changes, such as '/token/*/'; may be repeated")
	f.StringVar(&cfg.JoinFile, "join", "", "file that 'p2pstream join create' wrote, with stream, tracker, site and credential of a seeder outside of the cluster")
	f.StringVar(&cfg.Site, "site", "", "name of a site in the tracker's map: serve the viewers of that site, and get segments from other seeders before the origin (default: serve all viewers)")
	f.StringVar(&cfg.TokenFile, "token-file", "", "file with the stream's seeder token")
	f.IntVar(&cfg.MaxPeers, "max-peers", seeder.DefaultMaxPeers, "maximum number of peer connections")
	f.Var((*rateValue)(&cfg.UplinkBps), "uplink", "maximum upload rate, such as 500Mbit; 0 means no limit")
	cfg.CacheBytes = seeder.DefaultCache
	f.Var((*sizeValue)(&cfg.CacheBytes), "cache", "maximum size of the segment cache")
	f.StringArrayVar(&cfg.Renditions, "rendition", nil, "rendition to hold, such as 720p (default: all); may be repeated")
	f.StringSliceVar(&cfg.Generations, "generations", nil, "generations of p2p-media-loader to serve, such as v2.2,v2.3,v3 (default v2.2,v2.3)")
	f.StringVar(&cfg.AdminListen, "admin-listen", ":9091", "host:port for /metrics, /healthz and /readyz; empty disables them")
	f.StringVar((*string)(&cfg.SuperSeeding), "super-seeding", "", "from which viewers a live segment is held back while another viewer brings it: Auto (from those whose site the tracker tells), Off or Always (from all) (default Auto)")
	f.BoolVar(&cfg.Loopback, "loopback", false, "also connect to peers over 127.0.0.1, for tests on one machine")
	f.BoolVar(&cfg.OneSocketPerSwarm, "one-socket-per-swarm", false, "open a socket for each swarm, for third-party trackers that close a socket after one invalid message")
	f.Var((*durationValue)(&cfg.Drain), "drain", "how long to keep uploading after SIGTERM at most (default 10s)")
	withConfig(c, &cfg)
	return c
}
