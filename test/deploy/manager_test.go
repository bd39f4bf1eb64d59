package deploy

import (
	"os"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func deployment(t *testing.T, all objects) appsv1.Deployment {
	t.Helper()
	return get[appsv1.Deployment](t, all, "Deployment "+namespace+"/p2pstream-manager")
}

func manager(t *testing.T, all objects) corev1.Container {
	t.Helper()
	containers := deployment(t, all).Spec.Template.Spec.Containers
	if len(containers) != 1 {
		t.Fatalf("the pod has %d containers, want the manager alone", len(containers))
	}
	return containers[0]
}

func env(c corev1.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

// The pod is checked by the code of the admission plugin itself.
func TestPodIsAllowedWhereOnlyRestrictedPodsAre(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range installations(t) {
		template := deployment(t, all).Spec.Template
		results := evaluator.EvaluatePod(psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}, &template.ObjectMeta, &template.Spec)
		if sum := policy.AggregateCheckResults(results); !sum.Allowed {
			t.Errorf("%s: %s: %s", name, sum.ForbiddenReason(), sum.ForbiddenDetail())
		}
	}
	ns := get[corev1.Namespace](t, built(t, defaultDir), "Namespace /"+namespace)
	if got := ns.Labels[psaapi.EnforceLevelLabel]; got != string(psaapi.LevelRestricted) {
		t.Errorf("the namespace enforces %q, want restricted", got)
	}
}

func TestManagerIsBuiltToLast(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := manager(t, all)
			if c.SecurityContext.ReadOnlyRootFilesystem == nil || !*c.SecurityContext.ReadOnlyRootFilesystem {
				t.Error("the root file system can be written to")
			}
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("resources are %+v, want requests and a limit of memory", c.Resources)
			}
			if len(c.Args) == 0 || c.Args[0] != "manager" {
				t.Errorf("runs %q, want the manager", c.Args)
			}
			ports := map[string]int32{}
			for _, p := range c.Ports {
				ports[p.Name] = p.ContainerPort
			}
			for port, flag := range map[string]string{"metrics": "--metrics-bind-address=:8080", "health": "--health-probe-bind-address=:8081"} {
				if ports[port] == 0 || !slices.Contains(c.Args, flag) {
					t.Errorf("port %s is %d and the arguments are %q, want %s", port, ports[port], c.Args, flag)
				}
			}
			for path, probe := range map[string]*corev1.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
				if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.String() != "health" {
					t.Errorf("probe of %s is %+v", path, probe)
				}
			}
			if !slices.Contains(c.Args, "--leader-elect") || !slices.Contains(c.Args, "--leader-election-namespace=$(POD_NAMESPACE)") {
				t.Errorf("runs %q: two managers would both work, or the Lease is elsewhere", c.Args)
			}
		})
	}
}

func TestMetricsServiceFindsTheManager(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		service := get[corev1.Service](t, all, "Service "+namespace+"/p2pstream-manager-metrics")
		template := deployment(t, all).Spec.Template
		for label, want := range service.Spec.Selector {
			if template.Labels[label] != want {
				t.Errorf("%s: selects %s=%s, pods have %q", name, label, want, template.Labels[label])
			}
		}
		if len(service.Spec.Ports) != 1 || service.Spec.Ports[0].TargetPort.String() != "metrics" {
			t.Errorf("%s: ports are %+v", name, service.Spec.Ports)
		}
	}
}

func TestStreamsRunTheImageOfTheManager(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		c := manager(t, all)
		if got := env(c, "P2PSTREAM_IMAGE"); got != c.Image || got != "localhost/p2pstream:dev" {
			t.Errorf("%s: manager runs %s, streams %s", name, c.Image, got)
		}
	}
}

// An unknown flag ends the program at once, with exit code 2.
func TestManagerKnowsItsArguments(t *testing.T) {
	t.Parallel()
	var known strings.Builder
	for _, file := range []string{"manager.go", "log.go"} {
		raw, err := os.ReadFile(repository + "/cmd/p2pstream/" + file)
		if err != nil {
			t.Fatal(err)
		}
		known.Write(raw)
	}
	for name, all := range installations(t) {
		for _, arg := range manager(t, all).Args[1:] {
			flag, _, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
			if !strings.Contains(known.String(), `"`+flag+`"`) {
				t.Errorf("%s: the manager has no flag %s", name, arg)
			}
		}
	}
}
