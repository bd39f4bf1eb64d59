package v1

import (
	"net/netip"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func (e *TrackerExposure) validate(at *field.Path) field.ErrorList {
	errs := validateExposure(at, "tracker.exposure", e.Type, e.Host, e.Addresses, e.NodePort)
	if e.ExternalTrafficPolicy != "" {
		errs = append(errs, oneOf(at.Child("externalTrafficPolicy"), e.ExternalTrafficPolicy, TrafficPolicyCluster, TrafficPolicyLocal)...)
		errs = append(errs, needsNodePort(at, "tracker.exposure", "externalTrafficPolicy", e.Type)...)
	}
	return append(errs, e.TLSSecretName.validate(at.Child("tlsSecretName"))...)
}

func (e *STUNExposure) validate(at *field.Path) field.ErrorList {
	return validateExposure(at, "stun.exposure", e.Type, e.Host, e.Addresses, e.NodePort)
}

func (e *SeederExposure) validate(at *field.Path) field.ErrorList {
	return validateExposure(at, "seeders.exposure", e.Type, "", e.Addresses, nil)
}

// validateExposure holds what every exposure has to its rules, and refuses what its type cannot use.
func validateExposure(at *field.Path, name string, t ExposureType, h Host, addresses []IPAddress, port *NodePort) field.ErrorList {
	errs := oneOf(at.Child("type"), t, ExposureClusterIP, ExposureNodePort)
	errs = append(errs, set(at.Child("addresses"), addresses, 16)...)
	for i, a := range addresses {
		if !a.valid() {
			errs = append(errs, field.Invalid(at.Child("addresses").Index(i), string(a), "exposure.addresses must hold IP addresses that viewers can reach, such as 192.0.2.10"))
		}
	}
	if !h.valid() {
		errs = append(errs, field.Invalid(at.Child("host"), string(h), "exposure.host must be a host name or an IP address without scheme, port and path"))
	}
	if port != nil && (*port < 1 || *port > 65535) {
		errs = append(errs, field.Invalid(at.Child("nodePort"), int32(*port), "exposure.nodePort must be between 1 and 65535"))
	}
	for _, used := range []struct {
		field string
		is    bool
	}{{"nodePort", port != nil}, {"host", h != ""}, {"addresses", len(addresses) > 0}} {
		if used.is {
			errs = append(errs, needsNodePort(at, name, used.field, t)...)
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
