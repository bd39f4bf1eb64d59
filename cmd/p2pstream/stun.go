package main

import (
	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/stun"
)

func stunCommand(log *logFlags) *cobra.Command {
	var cfg stun.Config
	c := &cobra.Command{
		Use:     "stun",
		Short:   "Run a STUN server, which tells peers their public address",
		Example: "  p2pstream stun --listen :3478",
		RunE:    func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, stun.New) },
	}
	c.Flags().StringVar(&cfg.Listen, "listen", ":3478", "host:port to listen on, UDP and TCP")
	c.Flags().StringVar(&cfg.AdminListen, "admin-listen", "", "host:port for /metrics, /healthz and /readyz; empty disables them")
	withConfig(c, &cfg)
	return c
}
