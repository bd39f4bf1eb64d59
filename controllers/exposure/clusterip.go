package exposure

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// clusterIP exposes a target inside the cluster only: the tracker and the STUN servers by the name of their Service, each
// seeder by the address of its pod. A tracker with a host has a proxy in front that its owner has made.
type clusterIP struct{}

func (clusterIP) Traits(c Component, s v1.ExposureSettings) Traits {
	if c == Seeder {
		return Traits{Advertise: AdvertisePodIP}
	}
	return Traits{Outside: s.Host != ""}
}

func (clusterIP) Objects(t Target, _ Facts) []Object {
	if t.Component == Seeder {
		return nil
	}
	return []Object{newService(t, t.ContainerPort)}
}

func (clusterIP) Port(t Target, _ Facts) int32 { return t.ContainerPort }

// Addresses returns the name of the Service, which resolves with any cluster domain. Viewers are not given a STUN server
// that they cannot reach: a browser would wait for it for seconds before each announce.
func (c clusterIP) Addresses(t Target, f Facts) []Address {
	if t.Component == Seeder || t.Component == STUN && t.ViewersOutside {
		return nil
	}
	if t.Settings.Host != "" {
		return []Address{{Host: string(t.Settings.Host), Port: webPort(t.Settings), TLS: t.Settings.TLS(), Path: string(t.Settings.Path)}}
	}
	return []Address{{Host: t.Name + "." + t.Namespace + ".svc", Port: c.Port(t, f), TLS: t.Settings.TLS()}}
}

// Warning reports that viewers outside the cluster can reach nothing of the stream, or the tracker but not this target.
func (clusterIP) Warning(t Target, _ Facts, advertised []string) *Warning {
	field := t.Component.Field()
	switch {
	case t.Component == Tracker && t.Settings.Host == "":
		return &Warning{Condition: t.Component.condition(), Reason: v1.ReasonClusterOnly,
			Message: "viewers outside the cluster cannot reach it: set " + field + ".type to " + outsideTypes(Tracker) + ", or " + field + ".host to the name of a proxy of your own"}
	case t.Component == Tracker && len(advertised) > 0 && strings.HasPrefix(advertised[0], "ws://"):
		return &Warning{Condition: t.Component.condition(), Reason: v1.ReasonInsecureEndpoint,
			Message: "pages on https cannot use " + advertised[0] + ": to serve them, set " + field + ".tlsTerminated if your proxy ends TLS, or " + field + ".tlsSecretName"}
	case !t.ViewersOutside:
		return nil
	}
	switch t.Component {
	case STUN:
		return &Warning{Condition: t.Component.condition(), Reason: v1.ReasonNotAdvertised,
			Message: "viewers outside the cluster cannot reach the STUN servers: set " + STUN.Field() + ".type to " + outsideTypes(STUN) +
				", or spec.stun.enabled to false if all viewers share one network"}
	case Seeder:
		return &Warning{Condition: t.Component.condition(), Reason: v1.ReasonNotAdvertised,
			Message: "viewers outside the cluster cannot reach the seeders: set " + Seeder.Field() + ".type to " + outsideTypes(Seeder)}
	}
	return nil
}

func (clusterIP) Refused(Target, error, string) *Refusal { return nil }

func (clusterIP) Note(runtime.Object, *Observation) {}
