package v1

import (
	"regexp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

var namespaceName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// Validate checks a network against the rules of the CRD, and what these cannot say: the form of the selector.
func (n *P2PNetwork) Validate() field.ErrorList {
	var errs field.ErrorList
	if len(n.Name) > MaxNetworkNameLength || !streamName.MatchString(n.Name) {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), n.Name, "metadata.name must be lower case letters, digits and -, start with a letter, end with a letter or digit, and have 37 characters at most: Services and pods are named after it"))
	}
	at := field.NewPath("spec")
	s := &n.Spec
	if s.Streams != nil {
		errs = append(errs, s.Streams.validate(at.Child("streams"))...)
	}
	if s.Tracker != nil {
		errs = append(errs, s.Tracker.validate(at.Child("tracker"))...)
	}
	if s.STUN != nil {
		errs = append(errs, s.STUN.validate(at.Child("stun"))...)
	}
	if s.Seeders != nil {
		defaults := SeedersSpec{Exposure: s.Seeders.Exposure, NodeSelector: s.Seeders.NodeSelector, Tolerations: s.Seeders.Tolerations}
		errs = append(errs, defaults.validate(at.Child("seeders"))...)
	}
	if s.Sites != nil {
		errs = append(errs, s.Sites.validate(at.Child("sites"))...)
	}
	return append(errs, s.Pods.Validate(at.Child("pods"))...)
}

func (s *NetworkStreamsSpec) validate(at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if n := s.Namespaces; n != nil {
		from := at.Child("namespaces")
		if n.From != "" {
			errs = append(errs, oneOf(from.Child("from"), n.From, NamespacesFromAll, NamespacesFromSame, NamespacesFromSelector)...)
		}
		if (n.From == NamespacesFromSelector) != (n.Selector != nil) {
			errs = append(errs, field.Invalid(from, string(n.From), "streams.namespaces.selector and from Selector need each other: the labels of the namespaces"))
		}
		if _, err := metav1.LabelSelectorAsSelector(n.Selector); err != nil {
			errs = append(errs, field.Invalid(from.Child("selector"), "", err.Error()))
		}
	}
	if s.PodOverrides != "" {
		errs = append(errs, oneOf(at.Child("podOverrides"), s.PodOverrides, PodOverridesAllowed, PodOverridesForbidden)...)
	}
	l := s.Limits
	if l == nil {
		return errs
	}
	at = at.Child("limits")
	errs = append(errs, between(at.Child("streams"), l.Streams, 1, MaxStreamsPerNetwork, "streams.limits.streams must be between 1 and 2000")...)
	errs = append(errs, between(at.Child("streamsPerNamespace"), l.StreamsPerNamespace, 1, MaxStreamsPerNetwork, "streams.limits.streamsPerNamespace must be between 1 and 2000")...)
	errs = append(errs, between(at.Child("seedersPerStream"), l.SeedersPerStream, 0, 64, "streams.limits.seedersPerStream must be between 0 and 64")...)
	if l.UplinkPerSeeder != "" && !bitRate.MatchString(string(l.UplinkPerSeeder)) {
		errs = append(errs, field.Invalid(at.Child("uplinkPerSeeder"), string(l.UplinkPerSeeder), "seeders.uplink must be a whole number and kbit, Mbit or Gbit, from 1Mbit to 999Gbit, such as 500Mbit"))
	}
	if c := l.CacheSize; c != nil && (c.Cmp(minCacheSize) < 0 || c.Cmp(maxCacheSize) > 0) {
		size := *c
		errs = append(errs, field.Invalid(at.Child("cacheSize"), size.String(), "streams.limits.cacheSize must be between 16Mi and 64Gi"))
	}
	return errs
}

// MaxStreamsPerNetwork bounds the table of a tracker.
const MaxStreamsPerNetwork = 2000

// AdmitsBySelector tells whether the labels of a namespace decide whether its streams are admitted.
func (n *P2PNetwork) AdmitsBySelector() bool {
	s := n.Spec.Streams
	return s != nil && s.Namespaces != nil && s.Namespaces.From == NamespacesFromSelector
}

// Admits tells whether streams of a namespace, which has these labels, may use the network.
func (n *P2PNetwork) Admits(namespace string, has map[string]string) bool {
	from := NamespacesFromSame
	if s := n.Spec.Streams; s != nil && s.Namespaces != nil && s.Namespaces.From != "" {
		from = s.Namespaces.From
	}
	switch from {
	case NamespacesFromAll:
		return true
	case NamespacesFromSelector:
		selector, err := metav1.LabelSelectorAsSelector(n.Spec.Streams.Namespaces.Selector)
		return err == nil && selector.Matches(labels.Set(has))
	case NamespacesFromSame:
	}
	return namespace == n.Namespace
}
