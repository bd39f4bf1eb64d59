package stun

import (
	"context"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/internal/admin"
)

const readyTimeout = 2 * time.Second

// newAdmin makes the admin listener. The server is ready when a request over
// UDP to this very server is answered.
func (s *Server) newAdmin() *admin.Server {
	return admin.New(admin.Config{Listen: s.cfg.AdminListen, Registerer: s.reg, Ready: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		defer cancel()
		if _, err := Probe(ctx, s.self.String()); err != nil {
			return fmt.Errorf("probing own port: %w", err)
		}
		return nil
	}})
}
