package client

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
)

// How long a report waits for the node to connect to the tracker, and how often it looks.
const (
	connectWait = time.Second
	connectLook = 50 * time.Millisecond
)

// overSocket sends reports over the socket that the node has to the tracker, or over one of its own: a viewer without peers
// has none, and the tracker counts only viewers with sockets.
type overSocket struct {
	tracker string
	node    *mesh.Node
	own     report.Socket
	leaving atomic.Bool // the node has left: the last report goes over HTTP
}

// send is what a Reporter calls.
func (o *overSocket) send(ctx context.Context, body []byte) (answer []byte, ok bool) {
	if answer, ok := o.node.Report(ctx, o.tracker, body); ok {
		o.own.Close()
		return answer, true
	}
	if o.own.IsOpen() {
		return o.own.Report(ctx, body)
	}
	if o.leaving.Load() {
		return nil, false
	}
	waiting, cancel := context.WithTimeout(ctx, connectWait)
	defer cancel()
	look := time.NewTicker(connectLook)
	defer look.Stop()
	for waiting.Err() == nil {
		if answer, ok := o.node.Report(ctx, o.tracker, body); ok {
			return answer, true
		}
		select {
		case <-waiting.Done():
		case <-look.C:
		}
	}
	return o.own.Report(ctx, body)
}

// newOverSocket returns nil for settings without a tracker.
func newOverSocket(h *settings, node *mesh.Node) *overSocket {
	if len(h.Trackers) == 0 {
		return nil
	}
	o := &overSocket{tracker: h.Trackers[0], node: node}
	o.own.URL = o.tracker
	return o
}
