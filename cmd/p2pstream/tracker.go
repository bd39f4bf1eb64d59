package main

import (
	"reflect"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/tracker"
)

func trackerCommand(log *logFlags) *cobra.Command {
	return trackerFlags(func(c *cobra.Command, cfg tracker.Config) error {
		if err := tracker.CheckFiles(cfg); err != nil {
			return &usageError{err}
		}
		tradeMemoryForCPU()
		return serve(c, log, cfg, tracker.New)
	})
}

// trackerFlags is the command with its flags; run gets the configuration they make.
func trackerFlags(run func(*cobra.Command, tracker.Config) error) *cobra.Command {
	var cfg tracker.Config
	var stream tracker.StreamConfig
	c := &cobra.Command{
		Use:   "tracker",
		Short: "Lead the peers of a stream to each other",
		Long: `Speaks the WebTorrent tracker protocol on / and /announce, hands out settings to
players on /v1/config, and takes reports. Without a stream it is an open tracker
for any info hash.`,
		Example: `  p2pstream tracker --listen :8000                        # open tracker
  p2pstream tracker --listen :8000 --stream-source https://origin.example.com/live/master.m3u8 \
    --swarm-id town-hall --stun stun:stun.example.com:3478 --seeder-token-file seeder.token`,
		RunE: func(c *cobra.Command, _ []string) error {
			// A flag about a stream that is nowhere named is refused with the rest of the configuration.
			if !reflect.ValueOf(stream).IsZero() {
				if cfg.Stream == nil {
					cfg.Stream = &tracker.StreamConfig{}
				}
				overlay(cfg.Stream, stream)
			}
			return run(c, cfg)
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.Listen, "listen", ":8000", "host:port for peers")
	f.StringVar(&cfg.InternalListen, "internal-listen", "", "host:port of a second listener, never with TLS, for seeders of the same cluster")
	f.StringVar(&cfg.AdminListen, "admin-listen", ":9090", "host:port of /metrics, /healthz, /readyz and /v1/stats; empty for none")
	f.StringVar(&stream.SourceURL, "stream-source", "", "manifest URL that players open")
	f.StringVar(&stream.SeederURL, "stream-seeder-url", "", "manifest URL that seeders and this tracker fetch, if another")
	f.StringVar(&stream.SwarmID, "swarm-id", "", "name of the swarm (default: what players derive from the manifest URL)")
	f.StringArrayVar(&stream.STUN, "stun", nil, "STUN server handed to players, stun:host:port; can be repeated")
	f.StringVar(&stream.STUNFile, "stun-file", "", "JSON list of further STUN servers; read again when it changes")
	f.StringVar(&stream.HeadersDir, "headers-dir", "", "directory with one file for each header that the manifest is fetched with")
	f.StringVar(&stream.CAFile, "ca-file", "", "PEM file with the origin's certificate authorities (default: the system's)")
	f.StringVar(&stream.ExternalURL, "external-url", "", "this tracker's URL as players reach it (default: as their request says)")
	f.StringVar(&cfg.SeederTokenFile, "seeder-token-file", "", "file with the token by which seeders are known")
	f.StringVar(&cfg.TLSCert, "tls-cert", "", "PEM certificate; read again when it changes")
	f.StringVar(&cfg.TLSKey, "tls-key", "", "PEM key of it")
	f.StringArrayVar(&cfg.AllowedOrigins, "allowed-origin", nil, "origin of pages that may take part, https://host (default: all); can be repeated")
	withConfig(c, &cfg)
	return c
}

// overlay sets what flags say over what the configuration file says.
func overlay(dst *tracker.StreamConfig, flags tracker.StreamConfig) {
	for _, v := range []struct{ dst, src *string }{
		{&dst.SourceURL, &flags.SourceURL}, {&dst.SeederURL, &flags.SeederURL},
		{&dst.SwarmID, &flags.SwarmID}, {&dst.ExternalURL, &flags.ExternalURL}, {&dst.STUNFile, &flags.STUNFile},
		{&dst.HeadersDir, &flags.HeadersDir}, {&dst.CAFile, &flags.CAFile},
	} {
		if *v.src != "" {
			*v.dst = *v.src
		}
	}
	if len(flags.STUN) > 0 {
		dst.STUN = flags.STUN
	}
}
