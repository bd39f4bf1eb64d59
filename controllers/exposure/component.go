package exposure

import v1 "github.com/p2pstream/p2pstream/api/v1"

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
