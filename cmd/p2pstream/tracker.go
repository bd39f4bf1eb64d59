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

// trackerFlags returns the command with its flags; run gets the resulting configuration.
func trackerFlags(run func(*cobra.Command, tracker.Config) error) *cobra.Command {
	var cfg tracker.Config
	var stream tracker.StreamConfig
	var tokens tracker.TokensConfig
	var places tracker.SitesConfig
	c := &cobra.Command{
		Use:   "tracker",
		Short: "Run a tracker, which introduces the peers of a stream to each other",
		Long: `Serves the WebTorrent tracker protocol on / and /announce, player settings on
/v1/config, and accepts reports of viewers and seeders. Without a stream it is an
open tracker for any info hash.`,
		Example: `  p2pstream tracker --listen :8000                        # open tracker
  p2pstream tracker --listen :8000 --stream-source https://origin.example.com/live/master.m3u8 \
    --swarm-id town-hall --stun stun:stun.example.com:3478 --seeder-token-file seeder.token`,
		RunE: func(c *cobra.Command, _ []string) error {
			// Flags of a stream without --stream-source are refused by the validation of the configuration.
			if tokens != (tracker.TokensConfig{}) {
				stream.ViewerTokens = &tokens
			}
			if !reflect.ValueOf(stream).IsZero() {
				if cfg.Stream == nil {
					cfg.Stream = &tracker.StreamConfig{}
				}
				overlay(cfg.Stream, stream)
			}
			if !reflect.ValueOf(places).IsZero() {
				if cfg.Sites == nil {
					cfg.Sites = &tracker.SitesConfig{}
				}
				overlaySites(cfg.Sites, places)
			}
			return run(c, cfg)
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.Listen, "listen", ":8000", "host:port for viewers and seeders")
	f.StringVar(&cfg.InternalListen, "internal-listen", "", "host:port of a second listener without TLS, for seeders in the same cluster")
	f.StringVar(&cfg.AdminListen, "admin-listen", ":9090", "host:port for /metrics, /healthz, /readyz, /v1/stats and /dashboard; empty disables them")
	f.BoolVar(&cfg.Dashboard, "dashboard", false, "show /dashboard, with the names of sites, to everyone who reaches --listen (default: only on --admin-listen)")
	f.StringVar(&stream.SourceURL, "stream-source", "", "manifest URL that players open")
	f.StringVar(&stream.SeederURL, "stream-seeder-url", "", "manifest URL for seeders and this tracker (default: --stream-source)")
	f.StringVar(&stream.Format, "stream-format", "", "format of the manifest: HLS, DASH or Auto (default Auto: as the manifest itself shows)")
	f.StringSliceVar(&stream.Generations, "generations", nil, "generations of p2p-media-loader whose swarms are served, such as v2.2,v2.3,v3 (default v2.2,v2.3)")
	f.StringVar(&stream.SwarmID, "swarm-id", "", "swarm name (default: what players derive from the manifest URL)")
	f.StringArrayVar(&stream.STUN, "stun", nil, "STUN server for players, stun:host:port; may be repeated")
	f.StringVar(&stream.STUNFile, "stun-file", "", "file with a JSON list of further STUN servers; read again when it changes")
	f.StringVar(&stream.HeadersDir, "headers-dir", "", "directory of HTTP headers for manifest requests: one file per header, named like it")
	f.StringVar(&stream.CAFile, "ca-file", "", "PEM file with the certificate authorities of the origin (default: those of the system)")
	f.StringArrayVar(&stream.SignedPaths, "signed-path", nil, "start of URL paths in which * stands for what a signature changes, such as '/token/*/'; may be repeated")
	f.StringVar(&stream.ExternalURL, "external-url", "", "URL at which players reach this tracker (default: the host of their request)")
	f.BoolVar(&stream.AnySwarm, "any-swarm", false, "serve any info hash to viewers, and not only those of the stream")
	f.BoolVar(&stream.Tickets.Optional, "tickets-optional", false, "accept WebSockets without a ticket of /v1/config")
	f.Var((*durationValue)(&stream.Tickets.Lifetime), "ticket-lifetime", "how long tickets are accepted (default 36h)")
	f.StringVar(&tokens.KeysDir, "viewer-keys-dir", "", "directory with the keys of viewer tokens, which /v1/config then requires: NAME.pem, NAME.jwks or NAME.key")
	f.StringVar(&tokens.Issuer, "viewer-token-issuer", "", "what the claim iss of viewer tokens must be (default: anything)")
	f.StringVar(&tokens.Audience, "viewer-token-audience", "", "what the claim aud of viewer tokens must contain (default: anything)")
	f.Var((*durationValue)(&tokens.ClockSkew), "viewer-token-clock-skew", "by how much clocks may differ when viewer tokens are checked (default 30s)")
	f.StringVar(&cfg.SessionKeyFile, "session-key-file", "", "file with the keys of tickets, one a line, the first one signs; created if it does not exist (default: derived from the seeder token)")
	f.StringVar(&cfg.SeederTokenFile, "seeder-token-file", "", "file with the token that authenticates seeders; further lines are accepted too")
	f.StringVar(&cfg.TLSCert, "tls-cert", "", "PEM file with the TLS certificate; read again when it changes")
	f.StringVar(&cfg.TLSKey, "tls-key", "", "PEM file with the key of the certificate")
	f.StringArrayVar(&cfg.AllowedOrigins, "allowed-origin", nil, "web origin whose pages may connect, https://host (default: all); may be repeated")
	f.BoolVar(&cfg.AllowNoOrigin, "allow-no-origin", false, "with a stream or --allowed-origin: accept requests that have neither an Origin nor a credential")
	f.StringArrayVar(&cfg.CandidateRanges, "candidate-range", nil, "addresses that peers may have, as a CIDR range; candidates at others are not relayed (default: all); may be repeated")
	f.BoolVar(&cfg.AllowLoopbackCandidates, "allow-loopback-candidates", false, "relay candidates at loopback addresses, for peers on this machine (default: only if --listen is one)")
	f.StringVar(&cfg.ClientAddress.From, "client-address", "", "where the addresses of clients come from: Socket, Forwarded (or X-Forwarded-For), or ProxyProtocol (default: Socket)")
	f.StringArrayVar(&cfg.ClientAddress.TrustedProxies, "trusted-proxy", nil, "address of a proxy whose headers are believed, as a CIDR range; may be repeated")
	f.StringVar(&places.MapFile, "site-map", "", "CSV file of sites and their subnets; read again when it changes (check it with: p2pstream sites check FILE)")
	f.StringVar(&places.File, "sites-file", "", "JSON file with the list, the mask and the fallback of sites; read again when it changes")
	f.IntVar(&places.Mask.IPv4, "site-mask-ipv4", 0, "make a site of every IPv4 range of this length, such as 24, for addresses outside of all others")
	f.IntVar(&places.Mask.IPv6, "site-mask-ipv6", 0, "the same for IPv6, such as 56")
	f.StringVar((*string)(&places.Fallback.Peering), "site-fallback", "", "peering of addresses outside of all sites: Full, ReceiveOnly or Off (default: Full)")
	f.IntVar(&places.Gateways, "site-gateways", 0, "viewers of each rendition that are led to peers outside of a site that does not say it itself, 1 to 64 (default: 3)")
	f.IntVar(&places.CellSize, "site-cell-size", 0, "viewers of a rendition that may meet in a site; one with more is split (default: 1000)")
	withConfig(c, &cfg)
	return c
}

// overlaySites overrides sites of the configuration file by flags.
func overlaySites(dst *tracker.SitesConfig, flags tracker.SitesConfig) {
	for _, v := range []struct{ dst, src *string }{
		{&dst.MapFile, &flags.MapFile}, {&dst.File, &flags.File}, {(*string)(&dst.Fallback.Peering), (*string)(&flags.Fallback.Peering)},
	} {
		if *v.src != "" {
			*v.dst = *v.src
		}
	}
	for _, v := range []struct{ dst, src *int }{{&dst.Mask.IPv4, &flags.Mask.IPv4}, {&dst.Mask.IPv6, &flags.Mask.IPv6},
		{&dst.Gateways, &flags.Gateways}, {&dst.CellSize, &flags.CellSize}} {
		if *v.src != 0 {
			*v.dst = *v.src
		}
	}
}

// overlay overrides settings of the configuration file by flags.
func overlay(dst *tracker.StreamConfig, flags tracker.StreamConfig) {
	for _, v := range []struct{ dst, src *string }{
		{&dst.SourceURL, &flags.SourceURL}, {&dst.SeederURL, &flags.SeederURL},
		{&dst.SwarmID, &flags.SwarmID}, {&dst.ExternalURL, &flags.ExternalURL}, {&dst.STUNFile, &flags.STUNFile},
		{&dst.HeadersDir, &flags.HeadersDir}, {&dst.CAFile, &flags.CAFile}, {&dst.Format, &flags.Format},
	} {
		if *v.src != "" {
			*v.dst = *v.src
		}
	}
	if len(flags.STUN) > 0 {
		dst.STUN = flags.STUN
	}
	if len(flags.SignedPaths) > 0 {
		dst.SignedPaths = flags.SignedPaths
	}
	if len(flags.Generations) > 0 {
		dst.Generations = flags.Generations
	}
	if flags.ViewerTokens != nil {
		dst.ViewerTokens = flags.ViewerTokens
	}
	dst.AnySwarm = dst.AnySwarm || flags.AnySwarm
	dst.Tickets.Optional = dst.Tickets.Optional || flags.Tickets.Optional
	if flags.Tickets.Lifetime != 0 {
		dst.Tickets.Lifetime = flags.Tickets.Lifetime
	}
}
