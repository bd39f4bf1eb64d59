package status

import (
	"fmt"
	"net/netip"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// siteReasons are those of siteWarning.
var siteReasons = map[string]bool{v1.ReasonSiteMapMissing: true, v1.ReasonSiteMapInvalid: true, v1.ReasonClientAddressesHidden: true,
	v1.ReasonLocalAddressesHidden: true}

// siteWarning is a good verdict with what keeps sites from working; ok is false if nothing does, or there are none.
func (m *moment) siteWarning(good verdict) (v verdict, ok bool) {
	r := m.fresh()
	if r == nil {
		old := find(m.before.Conditions, v1.ConditionTrackerReady)
		if old == nil || !m.ReadingPending || !siteReasons[old.Reason] {
			return v, false
		}
		return verdict{old.Status, old.Reason, old.Message}, true // until the tracker says otherwise
	}
	sites := r.Stats.SiteMap
	if sites == nil {
		return v, false
	}
	warn := func(reason, text string) (verdict, bool) { return yes(reason, good.message+", but "+text), true }
	if addr, err := netip.ParseAddr(r.Stats.OneAddress); err == nil {
		return warn(v1.ReasonClientAddressesHidden, fmt.Sprintf("all viewers seem to have the address %s, so that their sites cannot be told. If they do not share one office, "+
			"set spec.tracker.exposure.externalTrafficPolicy to Local, or spec.tracker.clientAddress for the proxy in between", addr))
	}
	switch sites.Problem {
	case "":
	case stats.SiteMapMissing:
		return warn(v1.ReasonSiteMapMissing, "the map of spec.sites.mapRef is missing: "+m.siteMap()+". Create it; "+
			"until then, the sites of spec.sites.list apply, and those of the last map that there was")
	default:
		return warn(v1.ReasonSiteMapInvalid, "the map of spec.sites.mapRef, "+m.siteMap()+", cannot be read: "+diagnose.Clean(sites.Detail)+
			". The last map that there was, and spec.sites.list, still apply")
	}
	if first := sites.FirstIgnored; sites.IgnoredLines > 0 && first != nil {
		return warn(v1.ReasonSiteMapInvalid, fmt.Sprintf("%d lines of the map of spec.sites.mapRef, %s, are ignored, the first one is line %d: %s. "+
			"Check the map with: p2pstream sites check FILE", sites.IgnoredLines, m.siteMap(), first.Line, diagnose.Clean(first.Text)))
	}
	return m.dividedWarning(good, r.Stats.LocalAddresses)
}

// siteMap says which ConfigMap and key hold the map. A mapRef that was removed a moment ago leaves none to name.
func (m *moment) siteMap() string {
	if m.SiteMap == nil {
		return "a ConfigMap that the spec no longer names"
	}
	return fmt.Sprintf("key %q of ConfigMap %q", m.SiteMap.KeyOrDefault(), m.SiteMap.Name)
}
