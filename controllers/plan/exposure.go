package plan

import (
	"cmp"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func (p *planner) trackerExposed() bool {
	e := p.spec.Tracker.Exposure
	return e != nil && e.Type == v1.ExposureNodePort
}

func (p *planner) stunExposed() bool {
	e := p.spec.STUN.Exposure
	return e != nil && e.Type == v1.ExposureNodePort
}

func (p *planner) seedersExposed() bool {
	e := p.spec.Seeders.Exposure
	return e != nil && e.Type == v1.ExposureNodePort
}

// tls says that the tracker serves wss and https itself.
func (p *planner) tls() bool {
	e := p.spec.Tracker.Exposure
	return e != nil && e.TLSSecretName != ""
}

// trafficPolicy of the tracker's node port; empty where it has none.
func trafficPolicy(e *v1.TrackerExposure) v1.TrafficPolicy {
	if e == nil || e.Type != v1.ExposureNodePort {
		return ""
	}
	return cmp.Or(e.ExternalTrafficPolicy, v1.TrafficPolicyCluster)
}
