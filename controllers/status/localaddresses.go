package status

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// dividedWarning is a good verdict with the sites whose viewers do not reach each other, because their browsers hide the
// addresses; ok is false if there is none. It states no numbers: they change with each viewer, and each change is a write.
func (m *moment) dividedWarning(good verdict, a *stats.LocalAddresses) (v verdict, ok bool) {
	if a == nil {
		return v, false
	}
	old := find(m.before.Conditions, v1.ConditionTrackerReady)
	already := old != nil && old.Reason == v1.ReasonLocalAddressesHidden
	var names []string
	for _, s := range a.Sites {
		if s.Divided(already) {
			names = append(names, diagnose.Clean(s.Site))
		}
	}
	if len(names) == 0 {
		return v, false
	}
	slices.Sort(names)
	return yes(v1.ReasonLocalAddressesHidden, fmt.Sprintf("%s, but many browsers hide their local addresses in %s, so that viewers of different subnets there do not reach each other. "+
		"Load the policies that the tracker's /v1/policies or p2pstream policies writes into the browsers, or give them a STUN server that they reach without NAT; see docs/policies.md",
		good.message, strings.Join(firstOf(names, 4), ", "))), true
}
