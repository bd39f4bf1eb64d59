package main

import (
	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/origin"
)

func originCommand(log *logFlags) *cobra.Command {
	var cfg origin.Config
	c := &cobra.Command{
		Use:   "origin",
		Short: "Serve a live and a VOD test stream",
		Long: `Serves /live/master.m3u8 and /vod/master.m3u8 from real media inside this program.
Every knob is a part of the path, as in /live/seg_4/window_6/fmp4/master.m3u8.`,
		Example: "  p2pstream origin --listen :8100\n  ffplay http://127.0.0.1:8100/live/master.m3u8",
		RunE:    func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, origin.New) },
	}
	c.Flags().StringVar(&cfg.Listen, "listen", ":8100", "host:port")
	withConfig(c, &cfg)
	return c
}
