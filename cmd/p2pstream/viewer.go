package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/viewer"
)

func viewerCommand(log *logFlags) *cobra.Command {
	var cfg viewer.Config
	var headless, asJSON bool
	c := &cobra.Command{
		Use:   "viewer",
		Short: "Play a stream without a screen, as one or many viewers, and report",
		Example: `  p2pstream viewer --config-url http://tracker.example.com:8000/v1/config \
    --headless --count 20 --duration 60s --verify --json`,
		RunE: func(c *cobra.Command, _ []string) error {
			if !headless {
				return &usageError{errors.New("--headless: is missing; viewers play without a screen only")}
			}
			if err := cfg.Validate(); err != nil {
				return &usageError{err}
			}
			logger, err := log.logger(c.ErrOrStderr())
			if err != nil {
				return err
			}
			s, err := viewer.New(cfg, logger, nil)
			if err != nil {
				return err
			}
			runErr := s.Run(c.Context())
			return errors.Join(runErr, printReport(c.OutOrStdout(), s.Snapshot(), asJSON))
		},
	}
	f := c.Flags()
	f.StringVar(&cfg.ConfigURL, "config-url", "", "/v1/config of a tracker; everything else comes from there")
	f.StringVar(&cfg.Source, "source", "", "manifest URL, instead of --config-url")
	f.StringArrayVar(&cfg.Trackers, "tracker", nil, "tracker URL, ws:// or wss://; can be repeated")
	f.StringArrayVar(&cfg.STUN, "stun", nil, "STUN server, stun:host:port; can be repeated")
	f.StringVar(&cfg.SwarmID, "swarm-id", "", "name of the swarm (default: what players derive from the manifest URL)")
	f.BoolVar(&headless, "headless", false, "play without a screen and print a report at the end")
	f.IntVar(&cfg.Count, "count", 1, "viewers")
	f.Var((*durationValue)(&cfg.JoinInterval), "join-interval", "between one viewer's start and the next one's (default 200ms)")
	f.Var((*durationValue)(&cfg.Duration), "duration", "how long to play; 0 until stopped")
	f.BoolVar(&asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&cfg.Verify, "verify", false, "compare each segment's SHA-256 with the origin's")
	f.StringArrayVar(&cfg.Renditions, "rendition", nil, "rendition to play, as in 720p, or all (default: the first, with its audio); can be repeated")
	f.StringArrayVar(&cfg.Generations, "generation", nil, "v2.2 or v2.3 (default v2.3); can be repeated")
	f.BoolVar(&cfg.NoP2P, "no-p2p", false, "use the origin only, to compare with")
	f.BoolVar(&cfg.NoUpload, "no-upload", false, "take from peers, give nothing")
	f.IntVar(&cfg.MaxPeers, "max-peers", 0, "connections of each viewer at most (default 50)")
	f.BoolVar(&cfg.Loopback, "loopback", false, "also use 127.0.0.1, for everything on one machine")
	f.BoolVar(&cfg.OneSocketPerSwarm, "one-socket-per-swarm", false, "for trackers of others that close a socket for one bad message")
	withConfig(c, &cfg)
	return c
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
