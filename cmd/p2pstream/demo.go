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
		Short: "Run origin, tracker, STUN, a seeder and viewers in this process, with a page to watch",
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
				log.level = "error" // the table is what people want to see
			}
			return serve(c, log, cfg, demo.New)
		},
	}
	f := c.Flags()
	f.StringVarP(&file, "file", "f", "", "P2PStream manifest; without one a test stream is made")
	f.IntVar(&cfg.Viewers, "viewers", demo.DefaultViewers, "synthetic viewers")
	f.StringVar(&cfg.Listen, "listen", demo.DefaultListen, "host:port of the tracker and its pages")
	f.DurationVar(&cfg.Duration, "duration", 0, "end by itself after this time; 0 runs until stopped")
	return c
}
