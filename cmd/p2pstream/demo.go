package main

import (
	"github.com/spf13/cobra"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/demo"
)

func demoCommand(log *logFlags) *cobra.Command {
	var cfg demo.Config
	var file string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run origin, tracker, STUN server, seeder and viewers in one process, with a player page",
		Example: `  p2pstream demo
  p2pstream demo -f p2pstream.yaml --viewers 20`,
		RunE: func(c *cobra.Command, _ []string) error {
			if file != "" {
				stream, err := v1.LoadFile(file)
				if err != nil {
					return &usageError{err}
				}
				cfg.Stream = stream
			}
			cfg.Out = c.OutOrStdout()
			if !c.Flags().Changed("log-level") {
				log.level = "error" // log lines would disturb the table
			}
			return serve(c, log, cfg, demo.New)
		},
	}
	f := c.Flags()
	f.StringVarP(&file, "file", "f", "", "file with a P2PStream manifest (default: a test stream)")
	f.IntVar(&cfg.Viewers, "viewers", demo.DefaultViewers, "number of synthetic viewers")
	f.StringVar(&cfg.Listen, "listen", demo.DefaultListen, "host:port of the tracker and the player page")
	f.DurationVar(&cfg.Duration, "duration", 0, "how long to run; 0 means until stopped")
	return c
}
