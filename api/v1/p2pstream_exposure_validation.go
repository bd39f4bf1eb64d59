package v1

import (
	"net/netip"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (e *TrackerExposure) validate(at *field.Path) field.ErrorList {
	errs := e.Settings().validate(at, "tracker.exposure")
	if e.ExternalTrafficPolicy != "" {
		errs = append(errs, oneOf(at.Child("externalTrafficPolicy"), e.ExternalTrafficPolicy, TrafficPolicyCluster, TrafficPolicyLocal)...)
		errs = append(errs, needsNodePort(at, "tracker.exposure", "externalTrafficPolicy", e.Type)...)
	}
	return append(errs, e.TLSSecretName.validate(at.Child("tlsSecretName"))...)
}

func (e *STUNExposure) validate(at *field.Path) field.ErrorList {
	return e.Settings().validate(at, "stun.exposure")
}

func (e *SeederExposure) validate(at *field.Path) field.ErrorList {
	return e.Settings().validate(at, "seeders.exposure")
}

// validate checks the fields that exposures share, and refuses those that the type does not use.
func (s ExposureSettings) validate(at *field.Path, name string) field.ErrorList {
	errs := oneOf(at.Child("type"), s.Type, ExposureClusterIP, ExposureNodePort)
	errs = append(errs, set(at.Child("addresses"), s.Addresses, 16)...)
	for i, a := range s.Addresses {
		if !a.valid() {
			errs = append(errs, field.Invalid(at.Child("addresses").Index(i), string(a), "exposure.addresses must hold IP addresses that viewers can reach, such as 192.0.2.10"))
		}
	}
	if !s.Host.valid() {
		errs = append(errs, field.Invalid(at.Child("host"), string(s.Host), "exposure.host must be a host name or an IP address without scheme, port and path"))
	}
	if s.NodePort != nil && (*s.NodePort < 1 || *s.NodePort > 65535) {
		errs = append(errs, field.Invalid(at.Child("nodePort"), int32(*s.NodePort), "exposure.nodePort must be between 1 and 65535"))
	}
	for _, used := range []struct {
		field string
		set   bool
	}{{"nodePort", s.NodePort != nil}, {"host", s.Host != ""}, {"addresses", len(s.Addresses) > 0}} {
		if used.set {
			errs = append(errs, needsNodePort(at, name, used.field, s.Type)...)
		}
	}
	return errs
}

func needsNodePort(at *field.Path, name, child string, t ExposureType) field.ErrorList {
	if t == ExposureNodePort {
		return nil
	}
	return field.ErrorList{field.Invalid(at, string(t), name+"."+child+" needs "+name+".type NodePort")}
}

// valid is what CEL's isIP and isGlobalUnicast say.
func (a IPAddress) valid() bool {
	ip, err := netip.ParseAddr(string(a))
	return err == nil && ip.Zone() == "" && !ip.Is4In6() && ip.IsGlobalUnicast()
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*$`)

func (h Host) valid() bool {
	switch {
	case h == "":
		return true
	case strings.Contains(string(h), ":"):
		ip, err := netip.ParseAddr(string(h))
		return err == nil && ip.Zone() == "" && !ip.Is4In6()
	}
	return len(h) <= 253 && hostName.MatchString(string(h))
}
