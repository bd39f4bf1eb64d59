package main

import (
	"github.com/spf13/cobra"

	"github.com/p2pstream/p2pstream/runtime/stun"
)

func stunCommand(log *logFlags) *cobra.Command {
	var cfg stun.Config
	c := &cobra.Command{
		Use:     "stun",
		Short:   "Tell peers the address that others see them at",
		Example: "  p2pstream stun --listen :3478",
		RunE:    func(c *cobra.Command, _ []string) error { return serve(c, log, cfg, stun.New) },
	}
	c.Flags().StringVar(&cfg.Listen, "listen", ":3478", "host:port, UDP and TCP")
	c.Flags().StringVar(&cfg.AdminListen, "admin-listen", "", "host:port of /metrics, /healthz and /readyz; empty for none")
	withConfig(c, &cfg)
	return c
}
