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

// viewerConfig is the configuration of the viewer command: a proxy for players,
// or, with Headless, viewers that play without a player.
type viewerConfig struct {
	viewer.Config
	proxy.Options
	Headless bool `json:"headless,omitempty"`
}

// Validate returns an error for the first invalid field.
func (c viewerConfig) Validate() error {
	if !c.Headless {
		if c.Count > 1 || len(c.Renditions) > 0 {
			return errors.New("config.count, config.renditions: apply only to headless viewers; add --headless, or remove them")
		}
		return c.proxy().Validate()
	}
	if c.Listen != "" || len(c.AllowedHosts) > 0 {
		return errors.New("config.listen, config.allowedHosts: do not apply to headless viewers; remove them, or --headless")
	}
	return c.Config.Validate()
}

func (c viewerConfig) proxy() proxy.Config {
	return proxy.Config{Config: c.Client(), Options: c.Options}
}

// onlyHeadless are the flags that do not apply to a proxy.
var onlyHeadless = []string{"count", "join-interval", "rendition"}

func viewerCommand(log *logFlags) *cobra.Command {
	var cfg viewerConfig
	var asJSON bool
	c := &cobra.Command{
		Use:   "viewer",
		Short: "Serve a stream to local players through P2P, or run headless viewers",
		Long: `Serves a stream to players on this machine: segments come from peers and seeders,
and from the origin if those fail. With --headless it runs one or more viewers
that download the stream without a player. At the end it prints what it received.
With --headless and --verify it exits with 1 if a segment differed from the
origin's, if no viewer played anything, or if no segment could be compared.`,
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
				return &usageError{fmt.Errorf("--%s: applies only to headless viewers; add --headless", misplaced)}
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
	f.StringVar(&cfg.ConfigURL, "config-url", "", "URL of a tracker's /v1/config, which contains all other settings")
	f.StringVar(&cfg.TokenFile, "token-file", "", "file with the viewer token that the tracker requires; read for each request to --config-url")
	f.StringVar(&cfg.Origin, "origin", "", "web origin to send with requests to --config-url, for trackers with --allowed-origin")
	f.StringVar(&cfg.Source, "source", "", "manifest URL, if --config-url is not given")
	f.StringVar(&cfg.Format, "format", "", "format of the manifest: HLS, DASH or Auto (default Auto: as the manifest itself shows)")
	f.StringArrayVar(&cfg.Trackers, "tracker", nil, "tracker URL, ws:// or wss://; may be repeated")
	f.StringArrayVar(&cfg.STUN, "stun", nil, "STUN server, stun:host:port; may be repeated")
	f.StringArrayVar(&cfg.SignedPaths, "signed-path", nil, "start of URL paths in which * stands for what a signature changes, if --config-url is not given; may be repeated")
	f.StringVar(&cfg.SwarmID, "swarm-id", "", "swarm name (default: what players derive from the manifest URL)")
	f.Var((*durationValue)(&cfg.Duration), "duration", "how long to run; 0 means until stopped")
	f.BoolVar(asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&cfg.Verify, "verify", false, "compare the SHA-256 of each segment with the origin's")
	f.StringArrayVar(&cfg.Generations, "generation", nil, "generation of p2p-media-loader to connect with: v2.2, v2.3 or v3 (default v2.3); may be repeated")
	f.BoolVar(&cfg.NoP2P, "no-p2p", false, "use only the origin, as a baseline for comparison")
	f.BoolVar(&cfg.NoUpload, "no-upload", false, "download from peers without uploading")
	f.IntVar(&cfg.MaxPeers, "max-peers", 0, "maximum number of connections of each viewer (default 50)")
	f.Var((*sizeValue)(&cfg.StoreBytes), "cache", "maximum size of the segment cache (default 256Mi, or 64Mi for each headless viewer)")
	f.Var((*durationValue)(&cfg.StartupWait), "startup-wait", "if seeders hold the stream, how long to wait for a first peer before using the origin (default 350ms)")
	f.BoolVar(&cfg.Loopback, "loopback", false, "also connect to peers over 127.0.0.1, for tests on one machine")
	f.BoolVar(&cfg.OneSocketPerSwarm, "one-socket-per-swarm", false, "open a socket for each swarm, for third-party trackers that close a socket after one invalid message")

	f.StringVar(&cfg.Listen, "listen", "", "host:port to serve players on (default "+proxy.DefaultListen+")")
	f.StringArrayVar(&cfg.AllowedHosts, "allow-host", nil, "host name that players may use for this machine, in addition to localhost and the address of --listen; may be repeated")
	f.StringVar(&cfg.AdminListen, "admin-listen", "", "host:port for /metrics, /healthz and /readyz (default: disabled)")
	f.IntVar(&cfg.MaxPlayers, "max-players", proxy.DefaultMaxPlayers, "maximum number of players at a time")

	f.BoolVar(&cfg.Headless, "headless", false, "run viewers without a player instead of serving players")
	f.IntVar(&cfg.Count, "count", 1, "number of headless viewers")
	f.Var((*durationValue)(&cfg.JoinInterval), "join-interval", "time between the starts of two headless viewers (default 200ms)")
	f.StringArrayVar(&cfg.Renditions, "rendition", nil, "rendition that headless viewers play, such as 720p, or all (default: the first, with its audio); may be repeated")
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
	report := s.Snapshot()
	var verdict error
	if cfg.Verify {
		verdict = report.Verdict()
	}
	return errors.Join(runErr, <-served, printReport(c.OutOrStdout(), report, asJSON), verdict)
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
		out = c.ErrOrStderr() // standard output is only for the report
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case err := <-done:
		return err // it could not listen
	case <-s.Ready():
	}
	_, printErr := fmt.Fprintf(out, "Open %s in any player of HLS, or %s if the stream is MPEG-DASH.\n", s.HLSURL(), s.MPDURL())
	runErr := <-done
	return errors.Join(runErr, printErr, printServed(c.OutOrStdout(), s.Snapshot(), asJSON))
}

// printServed prints the report of a proxy, which has no data about playback.
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
	_, err := fmt.Fprintf(w, "total: offload %.1f %%, %d stalls, %d requests to the origin, %.2f copies from it, %d digest errors\n",
		100*r.Total.Offload, r.Total.Stalls, r.Total.OriginRequests, r.Total.Copies, r.Total.DigestErrors)
	if err != nil {
		return fmt.Errorf("printing report: %w", err)
	}
	return nil
}
