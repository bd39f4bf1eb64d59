package client

import (
	"github.com/p2pstream/p2pstream/runtime/loader"
	"github.com/p2pstream/p2pstream/runtime/loader/hashes"
	"github.com/p2pstream/p2pstream/runtime/loader/traffic"
	"github.com/p2pstream/p2pstream/runtime/telemetry"
)

// check makes the engine check segments from peers with the hashes that the tracker of the settings has. Without such a
// tracker there are none.
func (c *Client) check(engine *loader.Engine, h *settings) {
	url := hashes.URLOf(h.Telemetry.URL)
	if url == "" {
		return
	}
	engine.CheckWith(hashes.NewChecker(hashes.CheckerConfig{URL: url, Session: h.Telemetry.Session, Renew: c.renew}, c.log))
}

// checks are those of a report; nil before the first.
func checks(c traffic.Checks) *telemetry.Checks {
	if c == (traffic.Checks{}) {
		return nil
	}
	return &telemetry.Checks{Right: c.Right, Wrong: c.Wrong, Unknown: c.Unknown, Unproven: c.Unproven}
}
