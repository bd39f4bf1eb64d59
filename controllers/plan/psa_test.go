package plan

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestPodsAreRestricted checks pods against the restricted Pod Security Standard, control by control, and against the
// project's additional rules. A control for a field that no pod sets checks that it is not set.
func TestPodsAreRestricted(t *testing.T) {
	controls := []struct {
		name string
		ok   func(p corev1.PodSpec, c corev1.Container) bool
	}{
		{"host namespaces", func(p corev1.PodSpec, _ corev1.Container) bool { return !p.HostNetwork && !p.HostPID && !p.HostIPC }},
		{"host ports", func(_ corev1.PodSpec, c corev1.Container) bool {
			for _, port := range c.Ports {
				if port.HostPort != 0 || port.HostIP != "" {
					return false
				}
			}
			return true
		}},
		{"privileged containers", func(_ corev1.PodSpec, c corev1.Container) bool { return c.SecurityContext.Privileged == nil }},
		{"capabilities", func(_ corev1.PodSpec, c corev1.Container) bool {
			caps := c.SecurityContext.Capabilities
			return len(caps.Add) == 0 && len(caps.Drop) == 1 && caps.Drop[0] == "ALL"
		}},
		{"volume types", func(p corev1.PodSpec, _ corev1.Container) bool {
			for _, v := range p.Volumes {
				if v.ConfigMap == nil && v.Secret == nil {
					return false
				}
			}
			return true
		}},
		{"privilege escalation", func(_ corev1.PodSpec, c corev1.Container) bool {
			return !*c.SecurityContext.AllowPrivilegeEscalation
		}},
		{"running as non-root", func(p corev1.PodSpec, c corev1.Container) bool {
			return *p.SecurityContext.RunAsNonRoot && c.SecurityContext.RunAsNonRoot == nil && c.SecurityContext.RunAsUser == nil
		}},
		// restricted-v2 of OpenShift assigns a user to each namespace, and refuses pods that want another one.
		{"no fixed user", func(p corev1.PodSpec, _ corev1.Container) bool {
			s := p.SecurityContext
			return s.RunAsUser == nil && s.RunAsGroup == nil && s.FSGroup == nil && len(s.SupplementalGroups) == 0
		}},
		{"Linux nodes", func(p corev1.PodSpec, _ corev1.Container) bool {
			return p.NodeSelector[corev1.LabelOSStable] == "linux"
		}},
		{"seccomp", func(p corev1.PodSpec, c corev1.Container) bool {
			return p.SecurityContext.SeccompProfile.Type == corev1.SeccompProfileTypeRuntimeDefault && c.SecurityContext.SeccompProfile == nil
		}},
		{"SELinux, AppArmor, sysctls, proc mount, Windows", func(p corev1.PodSpec, c corev1.Container) bool {
			s := p.SecurityContext
			return s.SELinuxOptions == nil && s.AppArmorProfile == nil && s.WindowsOptions == nil && len(s.Sysctls) == 0 &&
				c.SecurityContext.ProcMount == nil && c.SecurityContext.SELinuxOptions == nil && c.SecurityContext.AppArmorProfile == nil
		}},
		{"lifecycle and probe hosts", func(_ corev1.PodSpec, c corev1.Container) bool {
			for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
				if probe.HTTPGet == nil || probe.HTTPGet.Host != "" {
					return false
				}
			}
			return c.Lifecycle == nil
		}},
		{"read-only root", func(_ corev1.PodSpec, c corev1.Container) bool { return *c.SecurityContext.ReadOnlyRootFilesystem }},
		{"read-only mounts", func(_ corev1.PodSpec, c corev1.Container) bool {
			for _, m := range c.VolumeMounts {
				if !m.ReadOnly || m.SubPath != "" {
					return false
				}
			}
			return true
		}},
		{"no access to the API server", func(p corev1.PodSpec, _ corev1.Container) bool {
			return !*p.AutomountServiceAccountToken && !*p.EnableServiceLinks
		}},
		{"time to drain", func(p corev1.PodSpec, _ corev1.Container) bool { return *p.TerminationGracePeriodSeconds == 20 }},
		{"requests", func(_ corev1.PodSpec, c corev1.Container) bool { return len(c.Resources.Requests) > 0 }},
		{"frequent startup and readiness probes", func(_ corev1.PodSpec, c corev1.Container) bool {
			return c.StartupProbe.PeriodSeconds == 1 && c.ReadinessProbe.PeriodSeconds <= 2
		}},
	}
	restricted := func(t *testing.T, name string, p Plan) {
		t.Helper()
		for _, o := range p.Objects {
			template := podTemplateOf(object(t, o))
			if template == nil {
				continue
			}
			spec := template.Spec
			if len(spec.Containers) != 1 || len(spec.InitContainers) > 0 || len(spec.EphemeralContainers) > 0 {
				t.Fatalf("%s: containers %d", o.Name, len(spec.Containers))
			}
			for _, control := range controls {
				if name == "hostport" && control.name == "host ports" {
					continue // what this stream asks for: spec and documentation say that restricted namespaces forbid it
				}
				if !control.ok(spec, spec.Containers[0]) {
					t.Errorf("%s %s: %s", name, o.Name, control.name)
				}
			}
		}
	}
	forEachCase(t, restricted)
	for _, name := range networkCases(t) { // networks shape pods of streams
		_, stream, _ := made(t, name, true)
		restricted(t, name, stream)
	}
}
