package status

import (
	"time"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// comesBack is how long it takes until all viewers have reconnected to a new tracker. The library of most browsers waits
// for a random time of up to 310 seconds before it reconnects.
const comesBack = 330 * time.Second

// Audience is how many viewers there were when that was last known, and which run of a tracker knew it.
type Audience struct {
	Boot               string
	Viewers, Reporting int
}

// mostlyReports tells whether enough viewers send reports to count them by reports: a few may have just joined or left.
func (a Audience) mostlyReports() bool { return 10*a.Reporting >= 9*a.Viewers }

// Watched is what a reading says of the audience of a stream, for who decides by it: whether it speaks of the present, and whether
// it knows all viewers. The audience is the one of the last Result, and may be nil.
func Watched(before v1.P2PStreamStatus, r *Reading, audience *Audience, now time.Time) (fresh, known bool) {
	m := &moment{Observed: Observed{Reading: r, Audience: audience}, before: before, now: now}
	if r = m.fresh(); r == nil || r.Stats.Draining {
		return false, false
	}
	return true, m.known(r.Stats)
}

// known tells whether a tracker knows how many viewers there are. Viewers that send reports reach a new tracker within
// half a minute, and the tracker waits that long. Viewers that send none are known by their sockets alone, which
// reconnect so late that an audience of thousands would be shown as zero. So a new tracker knows its viewers if most of
// them sent reports before, or if as many as before are connected.
func (m *moment) known(s stats.Stats) bool {
	if !s.ViewersKnown || s.Now.Sub(s.StartedAt) >= comesBack {
		return s.ViewersKnown
	}
	before := m.Audience
	if before == nil { // this operator has just started too
		o, swarm := m.before.Offload, m.before.Swarm
		switch {
		case o == nil || o.Window == nil:
			return true // no viewers were ever known
		case swarm == nil || swarm.Viewers == nil:
			return o.Reporting > 0
		}
		before = &Audience{Viewers: int(*swarm.Viewers), Reporting: int(o.Reporting)}
	}
	return before.Boot == s.Boot || before.mostlyReports() || s.Viewers >= before.Viewers
}

// audience is what is to be remembered for the next time.
func (m *moment) audience() *Audience {
	r := m.fresh()
	if r == nil || !m.known(r.Stats) {
		return m.Audience
	}
	return &Audience{Boot: r.Stats.Boot, Viewers: r.Stats.Viewers, Reporting: r.Stats.Reporting}
}
