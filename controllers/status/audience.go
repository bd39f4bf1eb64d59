package status

import (
	"time"

	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// comesBack is how long it takes until everybody has come to a tracker that follows another one. The library of
// most browsers waits for a random time of up to 310 seconds before it connects again.
const comesBack = 330 * time.Second

// Audience is who watched when that was last known, and which run of a tracker knew it.
type Audience struct {
	Boot               string
	Viewers, Reporting int
}

// mostlyReports tells whether reports are enough to count it: a few pages may just have come or gone.
func (a Audience) mostlyReports() bool { return 10*a.Reporting >= 9*a.Viewers }

// known tells whether a tracker knows how many viewers there are. Those who report come to a new tracker within
// half a minute, which is what it waits for itself. Pages that do not report are known by their sockets alone, and
// these come back so late that an audience of thousands would count as nobody. So while a tracker is new, it knows
// its viewers if those before were known by their reports, or if as many as before are there.
func (m *moment) known(s stats.Stats) bool {
	if !s.ViewersKnown || s.Now.Sub(s.StartedAt) >= comesBack {
		return s.ViewersKnown
	}
	before := m.Audience
	if before == nil { // this operator is new itself
		o, swarm := m.before.Offload, m.before.Swarm
		switch {
		case o == nil || o.Window == nil:
			return true // nobody was ever known
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
