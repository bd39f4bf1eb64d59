package inprocess

import (
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/origin"
	"github.com/p2pstream/p2pstream/runtime/tracker"
	"github.com/p2pstream/p2pstream/test/lab"
)

// NewStreamOf starts a tracker for the stream at a path of an origin that runs already, so that many streams can share
// one. change may change the tracker's configuration first. The tracker ends with the test.
func NewStreamOf(t testing.TB, o *origin.Server, path string, change func(*tracker.Config)) *Stream {
	t.Helper()
	s := &Stream{Origin: o, Source: "http://" + o.Addr().String() + path}
	s.trackerConfig = tracker.Config{
		Listen: lab.LoopbackAddress(), SeederToken: lab.Token, SessionKey: lab.SessionKey, DrainPeriod: tracker.Duration(time.Millisecond),
		Stream: &tracker.StreamConfig{SourceURL: s.Source, SwarmID: lab.SwarmID, TelemetryInterval: tracker.Duration(time.Second)},
	}
	if change != nil {
		change(&s.trackerConfig)
	}
	s.RestartTracker(t)
	return s
}
