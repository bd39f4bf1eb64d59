package rendition

import (
	"testing"
	"time"
)

// TestPeersThatWereReachable: a connection proves for some minutes that peers can be reached.
func TestPeersThatWereReachable(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		change func(*Connections)
		want   bool
	}{
		"no peer was ever connected":        {func(*Connections) {}, false},
		"a peer is connected":               {func(c *Connections) { c.open.Store(1) }, true},
		"a peer was connected a minute ago": {func(c *Connections) { c.lastChange.Store(now.Add(-time.Minute).UnixNano()) }, true},
		"a peer was connected an hour ago":  {func(c *Connections) { c.lastChange.Store(now.Add(-time.Hour).UnixNano()) }, false},
	} {
		c := &Connections{}
		tt.change(c)
		if got := c.reachable(now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
