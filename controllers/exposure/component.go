package exposure

import (
	"slices"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Component is a part of a stream that viewers reach, by the value of its component label.
type Component string

// The components that have an exposure.
const (
	Tracker Component = "tracker"
	STUN    Component = "stun"
	Seeder  Component = "seeder"
)

// Components in the order in which a viewer needs them.
func Components() []Component { return []Component{Tracker, STUN, Seeder} }

// Field is the field of the resource that holds the component's exposure.
func (c Component) Field() string {
	if c == Seeder {
		return "spec.seeders.exposure"
	}
	return "spec." + string(c) + ".exposure"
}

// condition is the type of the condition that tells whether the component is ready.
func (c Component) condition() string {
	switch c {
	case Tracker:
		return v1.ConditionTrackerReady
	case STUN:
		return v1.ConditionSTUNReady
	default:
		return v1.ConditionSeedersReady
	}
}

// EdgeSettings returns how the spec exposes the seeders of sites: like other seeders, except behind load balancers. What a site's
// viewers get from a seeder inside must not leave the site for a load balancer, so they reach it at its node; and the addresses
// that the spec names for the others are not those of the sites' nodes.
func EdgeSettings(spec *v1.P2PStreamSpec) v1.ExposureSettings {
	s := SettingsOf(spec, Seeder)
	if s.Type == v1.ExposureLoadBalancer {
		return v1.ExposureSettings{Type: v1.ExposureNodePort, IPFamilies: s.IPFamilies}
	}
	s.Addresses = nil
	return s
}

// hasEdges tells whether a site asks for seeders.
func hasEdges(spec *v1.P2PStreamSpec) bool {
	return spec.Sites != nil && slices.ContainsFunc(spec.Sites.List, func(s v1.SiteSpec) bool { return s.Seeders != nil })
}

// SettingsOf returns how the spec exposes a component. The spec need not have its defaults.
func SettingsOf(spec *v1.P2PStreamSpec, c Component) v1.ExposureSettings {
	switch {
	case c == Tracker && spec.Tracker != nil:
		return spec.Tracker.Exposure.Settings()
	case c == STUN && spec.STUN != nil:
		return spec.STUN.Exposure.Settings()
	case c == Seeder && spec.Seeders != nil:
		return spec.Seeders.Exposure.Settings()
	}
	return v1.ExposureSettings{Type: v1.ExposureClusterIP}
}
