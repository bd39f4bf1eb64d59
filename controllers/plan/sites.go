package plan

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/internal/sitespec"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// siteFiles tells the tracker where its sites are. They are in files of their own, which it reads again when they change: a
// change of the configuration itself replaces the pod.
func (p *planner) siteFiles() *tracker.SitesConfig {
	if p.spec.Sites == nil {
		return nil
	}
	c := &tracker.SitesConfig{File: mountConfig + "/" + fileSites}
	if p.spec.Sites.MapRef != nil {
		c.MapFile = mountSites + "/" + fileSiteMap
	}
	return c
}

// sitesFile is the content of the file with the list, the mask and the fallback.
func (p *planner) sitesFile() (string, error) {
	c := sitespec.Config(p.spec.Sites)
	if err := c.Validate("spec.sites"); err != nil {
		return "", &InvalidError{err}
	}
	return file(c)
}

// siteMapMounts is the ConfigMap with the map. It is optional: without it, the tracker runs with the list, and reports that
// the map is missing.
func (p *planner) siteMapMounts() []mount {
	if p.spec.Sites == nil || p.spec.Sites.MapRef == nil {
		return nil
	}
	ref := p.spec.Sites.MapRef
	source := corev1ac.ConfigMapVolumeSource().WithName(string(ref.Name)).WithOptional(true).
		WithItems(corev1ac.KeyToPath().WithKey(ref.KeyOrDefault()).WithPath(fileSiteMap))
	return []mount{{volume: corev1ac.Volume().WithName("sites").WithConfigMap(source), path: mountSites}}
}

// siteWarning is about sites that cannot be told, because nodes replace the addresses of viewers by their own.
func (p *planner) siteWarning() *Warning {
	traits := p.traits(exposure.Tracker)
	if p.spec.Sites == nil || !traits.Outside || traits.ClientAddresses || len(clientAddress(p.spec.Tracker.ClientAddress).TrustedProxies) > 0 {
		return nil
	}
	return &Warning{Condition: v1.ConditionTrackerReady, Reason: v1.ReasonClientAddressesHidden,
		Message: "it does not see the addresses of viewers, so that spec.sites has no effect. Set spec.tracker.exposure.externalTrafficPolicy to Local, " +
			"or spec.tracker.clientAddress if there is a proxy in between"}
}

// clientAddress says how the tracker learns the addresses of viewers.
func clientAddress(spec *v1.ClientAddressSpec) (c tracker.ClientAddressConfig) {
	if spec == nil || len(spec.TrustedProxies) == 0 {
		return c
	}
	c.From = string(spec.From)
	for _, r := range spec.TrustedProxies {
		c.TrustedProxies = append(c.TrustedProxies, string(r))
	}
	return c
}
