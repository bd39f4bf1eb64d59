package plan

import v1 "github.com/p2pstream/p2pstream/api/v1"

// Warning is something that works, but not as people may expect.
type Warning struct {
	// Condition and Reason are those of api/v1.
	Condition string
	Reason    string
	// Message names the field and the next step.
	Message string
}

// warnings in the order of how much they matter, by condition.
func (p *planner) warnings() []Warning {
	var all []Warning
	for _, look := range []func() *Warning{
		p.trackerNotAdvertised, // nobody can be told where the tracker is
		p.insecureEndpoint,     // pages on https skip it
		p.stunNotAdvertised,    // two offices do not meet
		p.seedersNotAdvertised, // seeders serve nobody outside
	} {
		if w := look(); w != nil {
			all = append(all, *w)
		}
	}
	return all
}

func (p *planner) trackerNotAdvertised() *Warning {
	if !p.trackerExposed() || p.endpoints.Announce != "" || p.nodePort(TrackerName(p.stream.Name), p.spec.Tracker.Exposure.NodePort) == 0 {
		return nil
	}
	return &Warning{v1.ConditionTrackerReady, v1.ReasonNotAdvertised,
		"no ready node that the tracker answers on has an address: set spec.tracker.exposure.host or spec.tracker.exposure.addresses"}
}

func (p *planner) insecureEndpoint() *Warning {
	if !p.trackerExposed() || p.tls() || p.endpoints.Announce == "" {
		return nil
	}
	return &Warning{v1.ConditionTrackerReady, v1.ReasonInsecureEndpoint,
		"pages on https cannot use " + p.endpoints.Announce + ": for them set spec.tracker.exposure.tlsSecretName"}
}

func (p *planner) stunNotAdvertised() *Warning {
	switch {
	case !*p.spec.STUN.Enabled || !p.trackerExposed():
		return nil
	case !p.stunExposed():
		return &Warning{v1.ConditionSTUNReady, v1.ReasonNotAdvertised,
			"viewers outside the cluster cannot reach the STUN servers: set spec.stun.exposure.type to NodePort, or spec.stun.enabled to false where all viewers share one network"}
	case !p.facts.STUNReady || len(p.endpoints.STUN) > 0 || p.nodePort(STUNName(p.stream.Name), p.spec.STUN.Exposure.NodePort) == 0:
		return nil
	}
	return &Warning{v1.ConditionSTUNReady, v1.ReasonNotAdvertised,
		"no node that a ready STUN server runs on has an address that may be handed out: set spec.stun.exposure.host, or add the nodes' addresses to spec.stun.exposure.addresses"}
}

func (p *planner) seedersNotAdvertised() *Warning {
	if *p.spec.Seeders.Replicas == 0 || !p.trackerExposed() || p.seedersExposed() {
		return nil
	}
	return &Warning{v1.ConditionSeedersReady, v1.ReasonNotAdvertised,
		"viewers outside the cluster cannot reach the seeders: set spec.seeders.exposure.type to NodePort"}
}
