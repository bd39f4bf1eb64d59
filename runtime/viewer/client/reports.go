package client

import (
	"context"

	"github.com/p2pstream/p2pstream/runtime/loader/mesh"
	"github.com/p2pstream/p2pstream/runtime/loader/report"
)

// overSocket returns what sends reports over the socket that the node has to the tracker, or over one of its own: a viewer
// without peers has none, and the tracker counts only viewers with sockets. It is nil without a tracker.
func overSocket(h *settings, node *mesh.Node, own *report.Socket) func(context.Context, []byte) ([]byte, bool) {
	if len(h.Trackers) == 0 {
		return nil
	}
	own.URL = h.Trackers[0]
	return func(ctx context.Context, body []byte) ([]byte, bool) {
		if answer, ok := node.Report(ctx, own.URL, body); ok {
			own.Close()
			return answer, true
		}
		return own.Report(ctx, body)
	}
}
