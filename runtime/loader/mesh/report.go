package mesh

import (
	"context"
	"strings"

	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// Report sends a report to the tracker with this URL, over a socket that the node has to it, and returns the answer. ok is
// false if there is no such socket, or no answer before ctx ends. One report at a time may be sent.
func (n *Node) Report(ctx context.Context, tracker string, report []byte) (answer []byte, ok bool) {
	s := n.sessionOf(strings.TrimSuffix(tracker, "/"))
	if s == nil {
		return nil, false
	}
	select {
	case <-s.answers: // to a report that is not waited for any more
	default:
	}
	if !s.send(telemetry.FrameReport(report)) {
		return nil, false
	}
	select {
	case answer = <-s.answers:
		return answer, true
	case <-s.dead:
	case <-ctx.Done():
	}
	return nil, false
}

// sessionOf returns an open socket to a tracker of ours, nil if there is none.
func (n *Node) sessionOf(url string) *session {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		if l.url != url {
			continue
		}
		l.mu.Lock()
		s := l.current
		l.mu.Unlock()
		if s != nil && !s.foreign {
			return s
		}
	}
	return nil
}

// answered takes a message that answers a report.
func (s *session) answered(b []byte) bool {
	answer, ok := telemetry.Answer(b)
	if !ok {
		return false
	}
	select {
	case s.answers <- answer:
	default: // one that is not waited for
	}
	return true
}
