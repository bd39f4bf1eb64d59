package tracker

import (
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/internal/dashboard"
	"github.com/p2pstream/p2pstream/runtime/tracker/doors"
	"github.com/p2pstream/p2pstream/runtime/tracker/viewerapi"
)

// newNetwork makes the dashboard of all streams of a table.
func (s *streams) newNetwork() (err error) {
	cfg := s.server.cfg
	s.network = dashboard.NewNetwork(dashboard.OfTracker, time.Now())
	s.overview, err = viewerapi.NewNetwork(viewerapi.NetworkConfig{
		AllowedOrigins: cfg.AllowedOrigins, ExternalURL: cfg.Streams.ExternalURL,
		RequestsPerSecond: float64(cfg.Limits.RequestsPerSecond), RequestBurst: cfg.Limits.RequestBurst, Network: s.network,
		Seeder:  func(token string) bool { return doors.Seeders{Tokens: s.server.seederTokens()}.Has(token) },
		Guarded: s.guarded,
	}, s.server.reg)
	if err != nil {
		return fmt.Errorf("making dashboard of all streams: %w", err)
	}
	if cfg.Dashboard {
		s.public = s.overview.Public()
	}
	return nil
}

// guarded reports whether a stream requires viewer tokens.
func (s *streams) guarded() bool {
	for _, st := range s.served.Load().order {
		if st.cfg.Stream.ViewerTokens != nil {
			return true
		}
	}
	return false
}

// isOverview reports whether a path is one of the dashboard of all streams.
func isOverview(path string) bool {
	switch path {
	case "/dashboard", "/dashboard/dashboard.js", "/dashboard/dashboard.css", viewerapi.HistoryPath, viewerapi.HistoryCSVPath:
		return true
	}
	return false
}
