package plan

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// target returns what the targets of all components have in common.
func (p *planner) target(c exposure.Component, name string) exposure.Target {
	return exposure.Target{
		Component:      c,
		Settings:       exposure.SettingsOf(&p.spec, c),
		Name:           name,
		Namespace:      p.stream.Namespace,
		Labels:         p.labels(string(c)),
		Owner:          p.owner(),
		Selector:       p.selector(string(c)),
		ViewersOutside: p.traits(exposure.Tracker).Outside,
	}
}

func (p *planner) trackerTarget() exposure.Target {
	t := p.target(exposure.Tracker, TrackerName(p.stream.Name))
	t.PortName, t.Protocol, t.ContainerPort = "http", corev1.ProtocolTCP, PortTracker
	return t
}

func (p *planner) stunTarget() exposure.Target {
	t := p.target(exposure.STUN, STUNName(p.stream.Name))
	t.PortName, t.Protocol, t.ContainerPort = "stun", corev1.ProtocolUDP, PortSTUN
	t.Ready = p.facts.STUNReady
	return t
}

func (p *planner) seederTarget(ordinal int32) exposure.Target {
	t := p.target(exposure.Seeder, SeederServiceName(p.stream.Name, ordinal))
	t.Ordinal = ordinal
	t.PortName, t.Protocol, t.ContainerPort = "ice", corev1.ProtocolUDP, PortSeeder
	t.Selector = map[string]string{appsv1.StatefulSetPodNameLabel: t.Name}
	t.PublishNotReady = true // readiness is for rollouts: connected peers must stay connected while a seeder is not ready
	return t
}

// traits by which the stream exposes a component.
func (p *planner) traits(c exposure.Component) exposure.Traits { return exposure.TraitsOf(&p.spec, c) }

// tls tells whether the tracker itself serves wss and https.
func (p *planner) tls() bool {
	e := p.spec.Tracker.Exposure
	return e != nil && e.TLSSecretName != ""
}

// expose adds the objects that make a target reachable.
func (p *planner) expose(t exposure.Target) {
	for _, o := range t.Strategy().Objects(t, p.reach) {
		p.services = append(p.services, child{o, &t})
	}
}

// warnings of the components, the most important first.
func (p *planner) warnings() []Warning {
	var warnings []Warning
	attached := p.facts.Network != nil
	if w := p.siteWarning(); w != nil && !attached {
		warnings = append(warnings, *w)
	}
	ask := func(t exposure.Target, advertised []string) (warned bool) {
		w := t.Strategy().Warning(t, p.reach, advertised)
		if w != nil {
			warnings = append(warnings, *w)
		}
		return w != nil
	}
	if !attached {
		if w := CertificateWarning(p.stream, p.facts.Kinds, p.facts.Issued); w != nil {
			warnings = append(warnings, *w)
		}
		ask(p.trackerTarget(), nonEmpty(p.endpoints.Announce))
	}
	if *p.spec.STUN.Enabled && !attached {
		ask(p.stunTarget(), p.endpoints.STUN)
	}
	if replicas := *p.spec.Seeders.Replicas; replicas > 0 || p.spec.Seeders.Scale != nil || len(Edges(p.stream)) > 0 {
		for ordinal := range max(replicas, 1) {
			if ask(p.seederTarget(ordinal), nil) {
				break
			}
		}
	}
	return warnings
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// Warning is about something that works, but not as its owner may expect.
type Warning = exposure.Warning

// Node is a ready node.
type Node = exposure.Node
