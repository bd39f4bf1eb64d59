package mesh

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

func TestReportsTravelOverTheSocketOfASwarm(t *testing.T) {
	r := newRelay(t)
	n := newTestNode(t, NodeConfig{})
	report := []byte(`{"v":1}`)
	if _, ok := n.Report(t.Context(), r.url(), report); ok {
		t.Error("a node without a socket has an answer")
	}
	join(t, n, r, 1, &recorder{})
	deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline.Err() == nil {
		answer, ok := n.Report(deadline, r.url(), report)
		if !ok {
			<-tick.C
			continue
		}
		if !bytes.Equal(answer, telemetry.FrameReport(report)) { // the relay repeats what it was sent
			t.Errorf("answer %s", answer)
		}
		if _, ok := n.Report(deadline, "ws://127.0.0.1:1/other", report); ok {
			t.Error("another tracker has answered")
		}
		if got := r.socketCount(); got != 1 {
			t.Errorf("%d sockets", got)
		}
		return
	}
	t.Error("no answer in 10 s")
}

// TestForeignTrackersGetNoReports: they do not know the action, and some close the socket for it.
func TestForeignTrackersGetNoReports(t *testing.T) {
	r := newRelay(t)
	r.foreign = true
	n := newTestNode(t, NodeConfig{})
	join(t, n, r, 1, &recorder{})
	deadline, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for r.socketCount() == 0 && deadline.Err() == nil {
		<-tick.C
	}
	if _, ok := n.Report(deadline, r.url(), []byte(`{"v":1}`)); ok {
		t.Error("a foreign tracker was sent a report")
	}
}
