package loader

import (
	"context"
	"time"

	"github.com/p2pstream/p2pstream/runtime/loader/schedule"
	"github.com/p2pstream/p2pstream/runtime/loader/wire"
)

// A peer that leaves looks this often whether anything is still on its way, and
// goes when nothing was for a moment: a request may be under way to it.
const (
	drainTick  = 50 * time.Millisecond
	drainQuiet = 10 // ticks
)

// Drain makes everybody go elsewhere: it says goodbye to all trackers, so that
// nobody new comes, and tells peers that nothing is held here any more, so that
// they ask others. What was asked for before is sent to its end. A seeder fetches
// nothing more; a viewer plays on.
//
// It returns when nobody is connected, when all that was asked for has arrived
// and nobody asks for more, or when ctx ends. Open connections live on.
func (e *Engine) Drain(ctx context.Context) {
	e.mu.Lock()
	e.drained = true
	renditions := e.renditions
	e.mu.Unlock()
	for _, r := range renditions {
		r.withdraw()
	}
	tick := time.NewTicker(drainTick)
	defer tick.Stop()
	for quiet := 0; quiet < drainQuiet && e.Peers() > 0; {
		if e.uplink.Active() > 0 || (e.node != nil && e.node.Unsent() > 0) {
			quiet = 0
		} else {
			quiet++
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (e *Engine) drains() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.drained
}

// withdraw leaves the trackers at once, and what peers were told to the owner.
func (r *rendition) withdraw() {
	r.swarmMu.Lock()
	for _, s := range r.swarms {
		s.Withdraw()
	}
	r.swarmMu.Unlock()
	r.mail.Post(r.retreat)
}

// retreat tells peers that nothing is held and nothing on its way. Requests are
// answered as before, since some were sent before this arrives.
func (r *rendition) retreat() {
	if r.leaving {
		return
	}
	r.leaving = true
	if r.e.cfg.Role == RoleSeeder {
		for _, seg := range r.segments {
			if seg.state == schedule.Fetching {
				r.giveUp(seg) // nobody would be told that it came
			}
		}
	}
	if r.e.cfg.UploadDisabled {
		return // nobody was told anything
	}
	nothing, err := wire.Encode(wire.Command{Code: wire.SegmentsAnnouncement}, r.e.cfg.MaxMessageSize)
	if err != nil {
		r.log.Error("encoding announcement", "error", err)
		return
	}
	for _, g := range r.e.cfg.Generations {
		r.announced[g] = announced{chunks: nothing}
	}
	for _, s := range r.sessions {
		s.sendChunks(nothing)
	}
}
