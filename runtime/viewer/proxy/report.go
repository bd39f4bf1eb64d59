package proxy

import (
	"math"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/viewer"
)

// Snapshot is the report as of now, in the form of headless viewers: one viewer,
// whose playback is unknown.
func (s *Server) Snapshot() viewer.Report {
	v := viewer.Result{ID: 1, StartupMs: -1}
	var c traffic.Counters
	if engine := s.client.Engine(); engine != nil {
		c = engine.Counters()
		v.Peers = engine.Peers()
	}
	v.Segments, v.Bytes = c.Segments, viewer.Bytes{HTTP: c.HTTP, Seeder: c.Seeder, Viewer: c.Viewer}
	v.UploadBytes, v.Discarded, v.Verified, v.DigestErrors = c.Uploaded, c.Discarded, c.Verified, c.DigestErrors
	return viewer.Report{
		Viewers:  []viewer.Result{v},
		Duration: math.Round(time.Since(s.started).Seconds()*10) / 10,
		Total: viewer.Total{
			Bytes: v.Bytes, Offload: math.Round(c.Offload()*10000) / 10000,
			OriginRequests: c.OriginRequests, DigestErrors: c.DigestErrors, UploadBytes: c.Uploaded,
		},
	}
}
