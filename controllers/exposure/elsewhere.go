package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// elsewhere reports that the host of the spec resolves to other addresses than those of what serves it. Where one of these is a name,
// or the host does not resolve for the operator, nothing is known: viewers may have another DNS.
func elsewhere(t Target, f Facts, entrance []string) *Warning {
	if len(entrance) == 0 || len(f.Resolved) == 0 {
		return nil
	}
	var own []string
	for _, address := range entrance {
		if _, err := netip.ParseAddr(address); err != nil {
			return nil
		}
		own = append(own, canonical(address))
	}
	for _, address := range f.Resolved {
		if slices.Contains(own, canonical(address)) {
			return nil
		}
	}
	return &Warning{Condition: t.Component.condition(), Reason: v1.ReasonHostElsewhere, Message: fmt.Sprintf(
		"%s.host %s resolves to %s where the operator runs, and what serves it has %s: change the DNS record, unless viewers have another DNS or a router in front forwards it",
		t.Component.Field(), t.Settings.Host, list(f.Resolved), list(own))}
}

// list names a few addresses.
func list(addresses []string) string {
	const most = 4
	if len(addresses) > most {
		return strings.Join(addresses[:most], ", ") + " and others"
	}
	return strings.Join(addresses, ", ")
}

// NamedHost is the DNS name of the tracker that has to lead to what serves it; empty when there is none.
func NamedHost(spec *v1.P2PStreamSpec) string {
	s := SettingsOf(spec, Tracker)
	switch s.Type {
	case v1.ExposureLoadBalancer, v1.ExposureIngress, v1.ExposureGateway:
	default:
		return ""
	}
	if _, err := netip.ParseAddr(string(s.Host)); err == nil {
		return ""
	}
	return strings.ToLower(string(s.Host))
}
