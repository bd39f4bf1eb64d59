package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/p2pstream/p2pstream/internal/admin"
	"github.com/p2pstream/p2pstream/runtime/viewer"
	"github.com/p2pstream/p2pstream/runtime/viewer/proxy"
)

// viewerConfig is what the viewer's flags and file fill: a proxy for players, or
// with Headless viewers that play by themselves.
type viewerConfig struct {
	viewer.Config
	proxy.Options
	Headless bool `json:"headless,omitempty"`
}

// Validate names the first field that cannot be used.
func (c viewerConfig) Validate() error {
	if !c.Headless {
		if c.Count > 1 || len(c.Renditions) > 0 {
			return errors.New("config.count, config.renditions: are for viewers without a screen; add --headless, or let players choose")
		}
		return c.proxy().Validate()
	}
	if c.Listen != "" || len(c.AllowedHosts) > 0 {
		return errors.New("config.listen: viewers without a screen serve no player; leave --listen out, or --headless")
	}
	return c.Config.Validate()
}

func (c viewerConfig) proxy() proxy.Config { return proxy.Config{Config: c.Join(), Options: c.Options} }

// onlyHeadless are flags that make no sense for a proxy.
var onlyHeadless = []string{"count", "join-interval", "rendition"}

func viewerCommand(log *logFlags) *cobra.Command {
	var cfg viewerConfig
	var asJSON bool
	c := &cobra.Command{
		Use:   "viewer",
		Short: "Let any player play through the mesh, or play without a screen",
		Long: `Serves a stream to players on this machine: its segments come from peers and
seeders, and from the origin when those fail. With --headless it plays by itself,
as one or many viewers. Either way it reports at the end what it received.`,
		Example: `  p2pstream viewer --config-url http://tracker.example.com:8000/v1/config --listen 127.0.0.1:8080
  ffmpeg -i http://127.0.0.1:8080/master.m3u8 -c copy out.mkv      # in another terminal
  vlc http://127.0.0.1:8080/master.m3u8

  p2pstream viewer --config-url http://tracker.example.com:8000/v1/config \
    --headless --count 20 --duration 60s --verify --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			var misplaced string
			c.Flags().Visit(func(f *pflag.Flag) {
				if !cfg.Headless && slices.Contains(onlyHeadless, f.Name) {
					misplaced = f.Name
				}
			})
			if misplaced != "" {
				return &usageError{fmt.Errorf("--%s: is for viewers without a screen; add --headless", misplaced)}
			}
			if err := cfg.Validate(); err != nil {
				return &usageError{err}
			}
			if cfg.Headless {
				return playHeadless(c, log, cfg, asJSON)
			}
			return serveProxy(c, log, cfg, asJSON)
		},
	}
	viewerFlags(c.Flags(), &cfg, &asJSON)
	withConfig(c, &cfg)
	return c
}

func viewerFlags(f *pflag.FlagSet, cfg *viewerConfig, asJSON *bool) {
	f.StringVar(&cfg.ConfigURL, "config-url", "", "/v1/config of a tracker; everything else comes from there")
	f.StringVar(&cfg.Source, "source", "", "manifest URL, instead of --config-url")
	f.StringArrayVar(&cfg.Trackers, "tracker", nil, "tracker URL, ws:// or wss://; can be repeated")
	f.StringArrayVar(&cfg.STUN, "stun", nil, "STUN server, stun:host:port; can be repeated")
	f.StringVar(&cfg.SwarmID, "swarm-id", "", "name of the swarm (default: what players derive from the manifest URL)")
	f.Var((*durationValue)(&cfg.Duration), "duration", "how long to play or serve; 0 until stopped")
	f.BoolVar(asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&cfg.Verify, "verify", false, "compare each segment's SHA-256 with the origin's")
	f.StringArrayVar(&cfg.Generations, "generation", nil, "v2.2 or v2.3 (default v2.3); can be repeated")
	f.BoolVar(&cfg.NoP2P, "no-p2p", false, "use the origin only, to compare with")
	f.BoolVar(&cfg.NoUpload, "no-upload", false, "take from peers, give nothing")
	f.IntVar(&cfg.MaxPeers, "max-peers", 0, "connections of each viewer at most (default 50)")
	f.Var((*sizeValue)(&cfg.StoreBytes), "cache", "bytes of segments held at most (default 256Mi, or 64Mi for each viewer of --headless)")
	f.Var((*durationValue)(&cfg.StartupWait), "startup-wait", "how long to wait for the first peer before the origin is asked, when seeders hold the stream (default 350ms)")
	f.BoolVar(&cfg.Loopback, "loopback", false, "also use 127.0.0.1, for everything on one machine")
	f.BoolVar(&cfg.OneSocketPerSwarm, "one-socket-per-swarm", false, "for trackers of others that close a socket for one bad message")

	f.StringVar(&cfg.Listen, "listen", "", "host:port that players open (default "+proxy.DefaultListen+")")
	f.StringArrayVar(&cfg.AllowedHosts, "allow-host", nil, "name by which players reach this machine, beside localhost and the address of --listen; can be repeated")
	f.StringVar(&cfg.AdminListen, "admin-listen", "", "host:port of /metrics, /healthz and /readyz (default: none)")
	f.IntVar(&cfg.MaxPlayers, "max-players", proxy.DefaultMaxPlayers, "players at a time at most")

	f.BoolVar(&cfg.Headless, "headless", false, "play without a screen instead of serving players")
	f.IntVar(&cfg.Count, "count", 1, "viewers; with --headless")
	f.Var((*durationValue)(&cfg.JoinInterval), "join-interval", "between one viewer's start and the next one's, with --headless (default 200ms)")
	f.StringArrayVar(&cfg.Renditions, "rendition", nil, "rendition to play with --headless, as in 720p, or all (default: the first, with its audio); can be repeated")
}

func playHeadless(c *cobra.Command, log *logFlags, cfg viewerConfig, asJSON bool) error {
	logger, err := log.logger(c.ErrOrStderr())
	if err != nil {
		return err
	}
	reg := newRegistry()
	s, err := viewer.New(cfg.Config, logger, reg)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(c.Context())
	defer stop()
	pages := admin.New(admin.Config{Listen: cfg.AdminListen, Registerer: reg})
	if err := pages.Listen(ctx); err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- pages.Run(ctx) }()
	runErr := s.Run(ctx)
	stop()
	return errors.Join(runErr, <-served, printReport(c.OutOrStdout(), s.Snapshot(), asJSON))
}

func serveProxy(c *cobra.Command, log *logFlags, cfg viewerConfig, asJSON bool) error {
	logger, err := log.logger(c.ErrOrStderr())
	if err != nil {
		return err
	}
	s, err := proxy.New(cfg.proxy(), logger, newRegistry())
	if err != nil {
		return err
	}
	ctx := c.Context()
	if cfg.Duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cfg.Duration.Std())
		defer cancel()
	}
	out := c.OutOrStdout()
	if asJSON {
		out = c.ErrOrStderr() // the report alone stands on the standard output
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case err := <-done:
		return err // it could not even listen
	case <-s.Ready():
	}
	_, printErr := fmt.Fprintf(out, "Open %s in any HLS player.\n", s.URL())
	runErr := <-done
	return errors.Join(runErr, printErr, printServed(c.OutOrStdout(), s.Snapshot(), asJSON))
}

// printServed prints the report of a proxy: of playback it knows nothing.
func printServed(w io.Writer, r viewer.Report, asJSON bool) error {
	if asJSON {
		return printReport(w, r, true)
	}
	t := r.Total
	if _, err := fmt.Fprintf(w, "received: offload %.1f %%, bytes http %d seeder %d viewer %d, uploaded %d, %d requests to the origin, %d digest errors\n",
		100*t.Offload, t.Bytes.HTTP, t.Bytes.Seeder, t.Bytes.Viewer, t.UploadBytes, t.OriginRequests, t.DigestErrors); err != nil {
		return fmt.Errorf("printing report: %w", err)
	}
	return nil
}

func printReport(w io.Writer, r viewer.Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		return e.Encode(r)
	}
	for _, v := range r.Viewers {
		if _, err := fmt.Fprintf(w, "viewer %d: startup %d ms, %d stalls, %d segments, bytes http %d seeder %d viewer %d, uploaded %d\n",
			v.ID, v.StartupMs, v.Stalls, v.Segments, v.Bytes.HTTP, v.Bytes.Seeder, v.Bytes.Viewer, v.UploadBytes); err != nil {
			return fmt.Errorf("printing report: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "total: offload %.1f %%, %d stalls, %d requests to the origin, %d digest errors\n",
		100*r.Total.Offload, r.Total.Stalls, r.Total.OriginRequests, r.Total.DigestErrors)
	if err != nil {
		return fmt.Errorf("printing report: %w", err)
	}
	return nil
}
