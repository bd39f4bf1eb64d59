package client

import (
	"context"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader"
)

// askPause is the least time between two requests for settings because a new event has begun: many viewers see it at the
// same time.
const askPause = time.Second

// newEvent notes that a new event has begun, so that the tracker is asked for the id of its swarms.
func (c *Client) newEvent() {
	select {
	case c.begun <- struct{}{}:
	default:
	}
}

// askForSwarms asks the tracker for its settings when a new event has begun: it then looks at the stream again itself.
func (c *Client) askForSwarms(ctx context.Context, engine *loader.Engine) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.begun:
		}
		if h, err := c.cfg.fetchSettings(ctx); err == nil {
			engine.TakeSwarmID(h.SwarmID)
		} else if ctx.Err() == nil {
			c.log.Debug("asking for the swarms of a new event failed", "error", err)
		}
		pause := time.NewTimer(askPause)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}
