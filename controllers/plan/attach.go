package plan

import (
	"errors"
	"fmt"
	"maps"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Attachment is the network that a stream is attached to, as far as the plan of the stream needs it.
type Attachment struct {
	// Namespace and Name of the network.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// URL of its entrance, and the STUN servers that viewers are given; empty while they are not known.
	URL  string   `json:"url,omitempty"`
	STUN []string `json:"stun,omitempty"`
	// TokenSecret is the name of the Secret, in the stream's namespace, with which its seeders prove themselves.
	TokenSecret string `json:"tokenSecret"`
	// Pods are the network's defaults of spec.pods; may be nil.
	Pods *v1.PodsSpec `json:"pods,omitempty"`
	// Served: a tracker of the network serves the stream. Until then a tracker that the stream had of its own stays.
	Served bool `json:"served,omitempty"`
}

// pods are the defaults of a stream that is attached, or not.
func (a *Attachment) pods() *v1.PodsSpec {
	if a == nil {
		return nil
	}
	return a.Pods
}

// Attach returns a stream as its network makes it: with the network's tracker, STUN servers and sites, and with the network's
// defaults for what the stream leaves out. An *InvalidError means that the stream asks for what the network does not give; the stream that is
// returned with it is only good for looking at.
//
// Above says which fields ask for more than the network lets streams have, and got what it does.
func Attach(stream *v1.P2PStream, network *v1.P2PNetwork) (attached *v1.P2PStream, above []string, err error) {
	attached = stream.DeepCopy()
	s, shared := &attached.Spec, network.Spec.DeepCopy()
	err = unshared(s)
	s.NetworkRef, s.Tracker, s.STUN, s.Sites = nil, shared.Tracker, shared.STUN, shared.Sites
	if s.Sites != nil {
		s.Sites.MapRef = nil // the network's tracker reads it
	}
	if s.Seeders == nil {
		s.Seeders = &v1.SeedersSpec{}
	}
	above = unshaped(s, shared.Streams)
	if d := shared.Seeders; d != nil {
		if s.Seeders.Exposure == nil {
			s.Seeders.Exposure = d.Exposure
		}
		if s.Seeders.NodeSelector == nil {
			s.Seeders.NodeSelector = maps.Clone(d.NodeSelector)
		}
		if s.Seeders.Tolerations == nil {
			s.Seeders.Tolerations = d.Tolerations
		}
	}
	if shared.Streams != nil && shared.Streams.Limits != nil {
		var wrong error
		var over []string
		over, wrong = limit(s.Seeders, shared.Streams.Limits)
		above, err = append(above, over...), errors.Join(err, wrong)
	}
	if err != nil {
		return attached, above, &InvalidError{err}
	}
	return attached, above, nil
}

// unshaped removes what a stream says of its pods, where the network shapes those of all streams. It returns the fields.
func unshaped(s *v1.P2PStreamSpec, streams *v1.NetworkStreamsSpec) (above []string) {
	if streams == nil || streams.PodOverrides != v1.PodOverridesForbidden {
		return nil
	}
	for _, f := range []struct {
		name string
		set  bool
	}{{"pods", s.Pods != nil}, {"seeders.nodeSelector", len(s.Seeders.NodeSelector) > 0}, {"seeders.tolerations", len(s.Seeders.Tolerations) > 0}} {
		if f.set {
			above = append(above, fmt.Sprintf("spec.%s is not used, because the network shapes the pods of its streams", f.name))
		}
	}
	s.Pods, s.Seeders.NodeSelector, s.Seeders.Tolerations = nil, nil, nil
	return above
}

// unshared finds what only a tracker in the stream's own namespace can do: pods cannot mount Secrets of other namespaces, and what a
// tracker mounts must not change while others use it.
func unshared(s *v1.P2PStreamSpec) error {
	const next = "the tracker of a network cannot read Secrets and ConfigMaps of streams. Remove it, or set spec.networkRef.name to \"\" for a tracker of the stream's own"
	switch {
	case s.Source.HeadersSecretRef != nil:
		return errors.New("spec.source.headersSecretRef: " + next)
	case s.Source.CASecretRef != nil:
		return errors.New("spec.source.caSecretRef: " + next)
	case s.Viewers != nil && s.Viewers.Tokens != nil:
		return errors.New("spec.viewers.tokens: " + next)
	}
	return nil
}

// limit gives the seeders of a stream what a network lets them have: the highest value of what is set, and the default of what is not. It
// returns the fields of spec.seeders that ask for more. A stream is not refused for them: autoscalers write them, and its viewers would
// lose their tracker.
func limit(s *v1.SeedersSpec, most *v1.NetworkLimits) (above []string, err error) {
	over := func(field string, asked, limit any) {
		above = append(above, fmt.Sprintf("spec.seeders.%s: %v is above the network's limit of %v", field, asked, limit))
	}
	if n := most.SeedersPerStream; n != nil {
		switch {
		case s.Scale != nil:
			limitScale(s, *n, over)
		case s.Replicas != nil && *s.Replicas > *n:
			over("replicas", *s.Replicas, *n)
			s.Replicas = n
		case s.Replicas == nil && *n < v1.DefaultSeederReplicas:
			s.Replicas = n
		}
	}
	if most.UplinkPerSeeder != "" {
		if s.Uplink == "" {
			s.Uplink = most.UplinkPerSeeder
		}
		asked, err1 := s.Uplink.BitsPerSecond()
		allowed, err2 := most.UplinkPerSeeder.BitsPerSecond()
		if err := errors.Join(err1, err2); err != nil {
			return above, fmt.Errorf("spec.seeders.uplink: %w", err)
		}
		if asked > allowed {
			over("uplink", s.Uplink, most.UplinkPerSeeder)
			s.Uplink = most.UplinkPerSeeder
		}
	}
	if c := most.CacheSize; c != nil {
		size := *c
		spec := (&v1.P2PStreamSpec{Seeders: s}).WithDefaults()
		if asked := *spec.Seeders.CacheSize; asked.Cmp(size) > 0 {
			if s.CacheSize != nil {
				over("cacheSize", asked.String(), size.String())
			}
			s.CacheSize = &size
		}
	}
	return above, nil
}

// limitScale is limit for seeders that are counted by the audience. A network that lets streams have none leaves nothing to count.
func limitScale(s *v1.SeedersSpec, most int32, over func(field string, asked, limit any)) {
	spec := (&v1.P2PStreamSpec{Seeders: s}).WithDefaults()
	asked := *spec.Seeders.Scale.Max
	if asked <= most {
		return
	}
	scale := *s.Scale
	if scale.Min != nil && *scale.Min > most {
		over("scale.min", *scale.Min, most)
		scale.Min = &most
	}
	if scale.Max != nil {
		over("scale.max", *scale.Max, most)
	}
	scale.Max = &most
	if s.Scale = &scale; most < 1 {
		s.Scale, s.Replicas = nil, &most
	}
}
