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
	// Served: a tracker of the network serves the stream. Until then a tracker that the stream had of its own stays.
	Served bool `json:"served,omitempty"`
}

// Attach returns a stream as its network makes it: with the network's tracker, STUN servers and sites, and with the network's
// defaults for what the stream leaves out. An *InvalidError means that the stream asks for what the network does not give.
func Attach(stream *v1.P2PStream, network *v1.P2PNetwork) (*v1.P2PStream, error) {
	attached := stream.DeepCopy()
	s, shared := &attached.Spec, network.Spec.DeepCopy()
	if err := unshared(s); err != nil {
		return nil, &InvalidError{err}
	}
	s.NetworkRef, s.Tracker, s.STUN, s.Sites = nil, shared.Tracker, shared.STUN, shared.Sites
	if s.Sites != nil {
		s.Sites.MapRef = nil // the network's tracker reads it
	}
	if s.Seeders == nil {
		s.Seeders = &v1.SeedersSpec{}
	}
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
		if err := limit(s.Seeders, shared.Streams.Limits); err != nil {
			return nil, &InvalidError{err}
		}
	}
	return attached, nil
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

// limit applies what a network lets the seeders of a stream have: the highest value of what is set, and the default of what is not.
func limit(s *v1.SeedersSpec, most *v1.NetworkLimits) error {
	above := func(field string, asked, limit any) error {
		return fmt.Errorf("spec.seeders.%s: %v is above the network's limit of %v", field, asked, limit)
	}
	if n := most.SeedersPerStream; n != nil {
		switch {
		case s.Scale != nil:
			if err := limitScale(s, *n, above); err != nil {
				return err
			}
		case s.Replicas != nil && *s.Replicas > *n:
			return above("replicas", *s.Replicas, *n)
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
			return fmt.Errorf("spec.seeders.uplink: %w", err)
		}
		if asked > allowed {
			return above("uplink", s.Uplink, most.UplinkPerSeeder)
		}
	}
	if c := most.CacheSize; c != nil {
		size := *c
		spec := (&v1.P2PStreamSpec{Seeders: s}).WithDefaults()
		switch asked := *spec.Seeders.CacheSize; {
		case asked.Cmp(size) <= 0:
		case s.CacheSize == nil:
			s.CacheSize = &size
		default:
			return above("cacheSize", asked.String(), size.String())
		}
	}
	return nil
}

// limitScale is limit for seeders that are counted by the audience.
func limitScale(s *v1.SeedersSpec, most int32, above func(field string, asked, limit any) error) error {
	spec := (&v1.P2PStreamSpec{Seeders: s}).WithDefaults()
	switch asked := *spec.Seeders.Scale.Max; {
	case asked <= most:
	case s.Scale.Min != nil && *s.Scale.Min > most:
		return above("scale.min", *s.Scale.Min, most)
	case s.Scale.Max != nil || most < 1:
		return above("scale.max", asked, most)
	default:
		s.Scale.Max = &most
	}
	return nil
}
