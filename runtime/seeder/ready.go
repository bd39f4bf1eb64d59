package seeder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/report"
)

// ready returns why the seeder is not ready. It is ready once its UDP port is bound
// and a tracker has accepted it: its socket, or, while the origin is unreachable
// and there is no swarm to join yet, its report. From then on it stays ready until it
// drains. A tracker that becomes unreachable later is asked again; becoming unready
// meanwhile would repair nothing and block the rollout that may bring the tracker
// back. The origin does not matter: a seeder can share what it holds without it.
func (s *Server) ready(context.Context) error {
	switch {
	case s.draining.Load():
		return errors.New("draining")
	case !s.isOpen():
		return fmt.Errorf("waiting for the UDP port of ordinal %d, and addresses to advertise, to be listed", s.cfg.Ordinal)
	case !s.isAccepted():
		return errors.New("no tracker has accepted this seeder yet")
	}
	return nil
}

func (s *Server) isOpen() bool {
	select {
	case <-s.open:
		return true
	default:
		return false
	}
}

func (s *Server) isAccepted() bool {
	if !s.accepted.Load() {
		for _, r := range s.reporters {
			if r.Accepted() {
				s.accepted.Store(true)
			}
		}
		// A socket that a foreign tracker accepted says nothing about our own tracker, which also answers reports.
		if s.node.TrackerReached() && (len(s.cfg.ForeignTrackers) == 0 || len(s.cfg.Trackers) == 0) {
			s.accepted.Store(true)
		}
	}
	return s.accepted.Load()
}

// Pauses of reportProgress.
const (
	progressInterval = 100 * time.Millisecond
	acceptFactor     = 10 // times progressInterval
)

// reportProgress reports at once what the tracker waits for: that the seeder runs,
// until a report is accepted, and that it holds the first segments or all of them.
// Until then the tracker tells viewers not to wait for seeders.
func (s *Server) reportProgress(ctx context.Context, r *report.Reporter) {
	tick := time.NewTicker(progressInterval)
	defer tick.Stop()
	some, all := false, false
	for n := 0; !all || !r.Accepted(); n++ {
		if n%acceptFactor == 0 && !r.Accepted() {
			r.ReportNow()
		}
		held, known := 0, 0
		for _, rendition := range s.engine.Status().Renditions {
			held += rendition.Held
			known += rendition.Known
		}
		if held > 0 && !some {
			some = true
			r.ReportNow()
		}
		if known > 0 && held == known && !all {
			all = true
			r.ReportNow()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
