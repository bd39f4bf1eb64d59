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
		Long: `Serves /live/master.m3u8 and /vod/master.m3u8 from media embedded in this program.
Options are parts of the path, as in /live/seg_4/window_6/fmp4/master.m3u8; the
page / lists them.`,
		Example: "  p2pstream origin --listen :8100\n  ffplay http://127.0.0.1:8100/live/master.m3u8",
		RunE:    func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, origin.New) },
	}
	c.Flags().StringVar(&cfg.Listen, "listen", ":8100", "host:port to listen on")
	withConfig(c, &cfg)
	return c
}
