package seeder

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/report"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// sample is the seeder's report.
func (s *Server) sample() telemetry.Report {
	all := report.Together(s.engine.Played()) // read before the counters, which include it
	status, c := s.engine.Status(), s.engine.Counters()
	state := &telemetry.SeederState{
		Peers: status.Peers, MaxPeers: s.cfg.MaxPeers,
		UplinkBps: s.rate(), UplinkLimitBps: s.cfg.UplinkBps, EdgeSite: s.cfg.Site,
	}
	if id := s.engine.SwarmID(); len(id) <= telemetry.MaxSwarmIDLength {
		state.SwarmID = id
	}
	if s.draining.Load() {
		// A seeder that drains counts as full, so that viewers are not told to wait for it.
		state.Peers = max(state.Peers, 1)
		state.MaxPeers = state.Peers
	}
	for _, r := range status.Renditions {
		if len(state.Renditions) == telemetry.MaxRenditions {
			break
		}
		state.Renditions = append(state.Renditions, telemetry.HeldRendition{
			Name: r.Name, HeldEdge: max(r.HeldEdge, 0), Segments: r.Held, KnownEdge: max(r.NewestKnown, 0),
		})
	}
	return telemetry.Report{
		Role:     telemetry.RoleSeeder,
		Counters: telemetry.Counters{HTTP: c.HTTP, Seeder: c.Seeder, Viewer: c.Viewer, Discarded: c.Discarded, Uploaded: c.Uploaded},
		Peers:    status.Peers, Seeder: state, Played: all,
	}
}

// rate is the upload rate since the last call, in bits per second.
func (s *Server) rate() int64 {
	s.rateMu.Lock()
	defer s.rateMu.Unlock()
	now, sent := time.Now(), s.uplink.Sent()
	if elapsed := now.Sub(s.rateAt); elapsed >= time.Second {
		s.rateBps = int64(float64(8*(sent-s.rateSent)) / elapsed.Seconds())
		s.rateAt, s.rateSent = now, sent
	}
	return s.rateBps
}
