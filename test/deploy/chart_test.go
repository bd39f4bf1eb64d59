package deploy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const (
	crdKey        = "CustomResourceDefinition /p2pstreams.p2pstream.dev"
	networkCRDKey = "CustomResourceDefinition /p2pnetworks.p2pstream.dev"
	keep          = "helm.sh/resource-policy"
)

func TestChartIsLintedStrictly(t *testing.T) {
	t.Parallel()
	lint := action.NewLint()
	lint.Strict, lint.Namespace = true, namespace
	result := lint.Run([]string{chartDir}, nil)
	for _, err := range result.Errors {
		t.Error(err)
	}
	for _, message := range result.Messages {
		t.Log(message)
	}
	if result.TotalChartsLinted != 1 {
		t.Errorf("linted %d charts", result.TotalChartsLinted)
	}
}

func TestGoldenChartDefault(t *testing.T) {
	t.Parallel()
	made, err := install(nil)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "chart-default.yaml", snapshot(t, parse(t, []byte(made.Manifest))))
	golden(t, "chart-default-notes.txt", []byte(made.Info.Notes))
}

// Chart and config install the same objects.
func TestChartMakesWhatConfigMakes(t *testing.T) {
	t.Parallel()
	config, chart := built(t, defaultDir), rendered(t, nil)
	delete(config, "Namespace /"+namespace)
	for key := range chart {
		if config[key] == nil {
			t.Errorf("%s is in the chart alone", key)
		}
	}
	for key, want := range config {
		got := chart[key]
		if got == nil {
			t.Errorf("%s is missing in the chart", key)
			continue
		}
		for _, path := range compared[want.GetKind()] {
			a, b := at(t, want, path), at(t, got, path)
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %s differs\nconfig: %v\nchart:  %v", key, path, a, b)
			}
		}
		for label, value := range want.GetLabels() {
			if got.GetLabels()[label] != value {
				t.Errorf("%s: label %s is %q in the chart, %q in config", key, label, got.GetLabels()[label], value)
			}
		}
	}
}

// compared are the significant parts of an object. Selectors differ by the release's name.
var compared = map[string][]string{
	"ClusterRole":              {"rules"},
	"Role":                     {"rules"},
	"ClusterRoleBinding":       {"roleRef", "subjects"},
	"RoleBinding":              {"roleRef", "subjects"},
	"CustomResourceDefinition": {"spec"},
	"Service":                  {"spec.ports"},
	"Deployment":               {"spec.replicas", "spec.template.spec"},
}

func at(t *testing.T, object *unstructured.Unstructured, path string) any {
	t.Helper()
	found, ok, err := unstructured.NestedFieldCopy(object.Object, strings.Split(path, ".")...)
	if err != nil || !ok {
		t.Fatalf("%s has no %s: %v", key(object), path, err)
	}
	switch path {
	case "rules":
		slices.SortFunc(found.([]any), func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	case "spec.template.spec":
		container := found.(map[string]any)["containers"].([]any)[0].(map[string]any)
		// The manager has defaults for these, which config does not set.
		container["args"] = slices.DeleteFunc(container["args"].([]any), func(arg any) bool {
			flag, _, _ := strings.Cut(arg.(string), "=")
			return slices.Contains([]string{"--image-pull-policy", "--max-concurrent-reconciles", "--log-level", "--upgrade-streams", "--upgrade-when-idle"}, flag)
		})
	}
	return found
}

func TestDefinitionIsKeptOrNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values    map[string]any
		there     bool
		kept      bool
		notesSays string
	}{
		"default":  {nil, true, true, "leaves the definition of P2PStream"},
		"not kept": {map[string]any{"crds": map[string]any{"keep": false}}, true, false, "ALL STREAMS"},
		"not ours": {map[string]any{"crds": map[string]any{"enabled": false}}, false, false, "crds.enabled=false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made, err := install(c.values)
			if err != nil {
				t.Fatal(err)
			}
			crd := parse(t, []byte(made.Manifest))[crdKey]
			if (crd != nil) != c.there {
				t.Fatalf("definition is there: %t, want %t", crd != nil, c.there)
			}
			if crd != nil && (crd.GetAnnotations()[keep] == "keep") != c.kept {
				t.Errorf("annotations are %v, want kept: %t", crd.GetAnnotations(), c.kept)
			}
			if !strings.Contains(made.Info.Notes, c.notesSays) {
				t.Errorf("notes lack %q:\n%s", c.notesSays, made.Info.Notes)
			}
		})
	}
}

func TestOptionalPartsAppearWhenAsked(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{
		"fullnameOverride":    "ecdn",
		"replicas":            2,
		"image":               map[string]any{"repository": "registry.example.com/p2pstream", "tag": "v1", "digest": "sha256:" + strings.Repeat("0", 64)},
		"imagePullSecrets":    []any{map[string]any{"name": "registry"}},
		"metrics":             map[string]any{"serviceMonitor": map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}}},
		"podDisruptionBudget": map[string]any{"enabled": true},
		"podLabels":           map[string]any{"team": "media"},
		"podAnnotations":      map[string]any{"note": "x"},
		"tolerations":         []any{map[string]any{"operator": "Exists"}},
		"priorityClassName":   "high",
		"serviceAccount":      map[string]any{"name": "media", "annotations": map[string]any{"role": "x"}},
	})
	for _, want := range []string{
		"ServiceMonitor p2pstream-system/ecdn-manager", "PodDisruptionBudget p2pstream-system/ecdn-manager",
		"ServiceAccount p2pstream-system/media", "ClusterRole /ecdn-view", "Service p2pstream-system/ecdn-manager-metrics",
	} {
		if all[want] == nil {
			t.Errorf("there is no %s", want)
		}
	}
	pod := get[appsv1.Deployment](t, all, "Deployment p2pstream-system/ecdn-manager").Spec.Template
	image := "registry.example.com/p2pstream:v1@sha256:" + strings.Repeat("0", 64)
	if c := pod.Spec.Containers[0]; c.Image != image || env(c, "P2PSTREAM_IMAGE") != image {
		t.Errorf("manager runs %s, streams %s, want %s", c.Image, env(c, "P2PSTREAM_IMAGE"), image)
	}
	if pod.Labels["team"] != "media" || pod.Annotations["note"] != "x" || pod.Spec.PriorityClassName != "high" || pod.Spec.ServiceAccountName != "media" ||
		len(pod.Spec.Tolerations) != 1 || len(pod.Spec.ImagePullSecrets) != 1 {
		t.Errorf("the pod lacks what was asked for: %+v", pod)
	}
	monitor := all["ServiceMonitor p2pstream-system/ecdn-manager"]
	if monitor.GetLabels()["release"] != "prometheus" {
		t.Errorf("labels of the ServiceMonitor are %v", monitor.GetLabels())
	}
}

// TestDashboardOfTheManager: it is off by default; with it come a port, a Service, what the manager needs to ask about tokens, and a role to bind.
func TestDashboardOfTheManager(t *testing.T) {
	t.Parallel()
	for key := range rendered(t, nil) {
		if strings.Contains(key, "dashboard") {
			t.Errorf("%s is there by default", key)
		}
	}
	all := rendered(t, map[string]any{"fullnameOverride": "ecdn", "dashboard": map[string]any{"enabled": true, "tlsSecretName": "certificate"}})
	for _, want := range []string{"Service p2pstream-system/ecdn-manager-dashboard", "ClusterRoleBinding /ecdn-manager-dashboard-reviews"} {
		if all[want] == nil {
			t.Errorf("there is no %s", want)
		}
	}
	may := map[string][]rbacv1.PolicyRule{}
	for _, name := range []string{"ecdn-dashboard", "ecdn-manager-dashboard-reviews"} {
		may[name] = get[rbacv1.ClusterRole](t, all, "ClusterRole /"+name).Rules
	}
	if got := may["ecdn-dashboard"]; len(got) != 1 || !slices.Equal(got[0].NonResourceURLs, []string{"/v1/history", "/v1/history.csv"}) || !slices.Equal(got[0].Verbs, []string{"get"}) {
		t.Errorf("viewers of the dashboard may %+v", got)
	}
	if got := may["ecdn-manager-dashboard-reviews"]; len(got) != 2 || got[0].Resources[0] != "tokenreviews" || got[1].Resources[0] != "subjectaccessreviews" {
		t.Errorf("the manager may also %+v", got)
	}
	pod := get[appsv1.Deployment](t, all, "Deployment p2pstream-system/ecdn-manager").Spec.Template.Spec
	c := pod.Containers[0]
	for _, want := range []string{"--dashboard-bind-address=:8443", "--dashboard-cert-dir=/etc/p2pstream-dashboard"} {
		if !slices.Contains(c.Args, want) {
			t.Errorf("%v lack %s", c.Args, want)
		}
	}
	if len(pod.Volumes) != 2 || pod.Volumes[1].Secret.SecretName != "certificate" || len(c.VolumeMounts) != 2 || c.VolumeMounts[1].MountPath != "/etc/p2pstream-dashboard" {
		t.Errorf("volumes %+v at %+v", pod.Volumes, c.VolumeMounts)
	}
	port := get[corev1.Service](t, all, "Service p2pstream-system/ecdn-manager-dashboard").Spec.Ports[0].TargetPort.StrVal
	if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == port && p.ContainerPort == 8443 }) {
		t.Errorf("the Service leads to %s, of %+v", port, c.Ports)
	}
	both := rendered(t, map[string]any{"streamPods": map[string]any{"nodeSelector": map[string]any{"pool": "edge"}}, "dashboard": map[string]any{"enabled": true}})
	if pod := deployment(t, both).Spec.Template.Spec; len(pod.Volumes) != 2 || pod.Volumes[1].Name != "pod-defaults" || len(pod.Containers[0].VolumeMounts) != 2 {
		t.Errorf("without a certificate: %+v", pod.Volumes)
	}
}

func TestRolesOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{
		"rbac": map[string]any{"create": false}, "serviceAccount": map[string]any{"create": false, "name": "given"},
		"metrics": map[string]any{"service": map[string]any{"enabled": false}},
	})
	if len(all) != 3 {
		t.Errorf("made %d objects, want the definitions and the Deployment: %v", len(all), all)
	}
	if got := deployment(t, all).Spec.Template.Spec.ServiceAccountName; got != "given" {
		t.Errorf("runs as %s", got)
	}
}

// TestStreamPods hands the shape of pods to the manager, which reads it when it starts.
func TestStreamPods(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{"streamPods": map[string]any{"nodeSelector": map[string]any{"pool": "edge"}, "env": []any{map[string]any{"name": "NO_PROXY", "value": ".svc"}}},
		"extraEnv": []any{map[string]any{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}}})
	shape := get[corev1.ConfigMap](t, all, "ConfigMap "+namespace+"/p2pstream-manager").Data["pods.yaml"]
	var pods struct {
		NodeSelector map[string]string `json:"nodeSelector"`
		Env          []corev1.EnvVar   `json:"env"`
	}
	if err := yaml.UnmarshalStrict([]byte(shape), &pods); err != nil || pods.NodeSelector["pool"] != "edge" || len(pods.Env) != 1 {
		t.Errorf("%v: %s", err, shape)
	}
	pod := deployment(t, all).Spec.Template.Spec
	container := manager(t, all)
	if !slices.Contains(container.Args, "--pod-defaults=/etc/p2pstream/pods.yaml") || len(container.VolumeMounts) != 2 || len(pod.Volumes) != 2 ||
		pod.Volumes[1].ConfigMap.Name != "p2pstream-manager" || container.VolumeMounts[1].MountPath != "/etc/p2pstream" {
		t.Errorf("%v %v %v", container.Args, container.VolumeMounts, pod.Volumes)
	}
	if !slices.ContainsFunc(container.Env, func(e corev1.EnvVar) bool { return e.Name == "HTTPS_PROXY" }) {
		t.Errorf("%v", container.Env)
	}
}

// TestNetworks: the manager mounts the key that it makes, without which the pod starts too, and knows the default network.
func TestNetworks(t *testing.T) {
	t.Parallel()
	all := rendered(t, map[string]any{"defaultNetwork": "ecdn/corp"})
	pod, container := deployment(t, all).Spec.Template.Spec, manager(t, all)
	for _, want := range []string{"--default-network=ecdn/corp", "--key-secret=p2pstream-manager-key", "--key-file=/etc/p2pstream-key/key"} {
		if !slices.Contains(container.Args, want) {
			t.Errorf("the manager runs with %q, want %s", container.Args, want)
		}
	}
	key := pod.Volumes[0].Secret
	if key == nil || key.SecretName != "p2pstream-manager-key" || key.Optional == nil || !*key.Optional || container.VolumeMounts[0].MountPath != "/etc/p2pstream-key" {
		t.Errorf("%v %v", pod.Volumes, container.VolumeMounts)
	}
	for _, arg := range manager(t, rendered(t, nil)).Args {
		if strings.HasPrefix(arg, "--default-network") {
			t.Errorf("by default the manager runs with %s", arg)
		}
	}
}

// TestUmbrella: a chart that includes this one passes its own switches.
func TestUmbrella(t *testing.T) {
	t.Parallel()
	rendered(t, map[string]any{"enabled": true, "global": map[string]any{"imageRegistry": "registry.example.com"}})
}

func TestUnusableValuesAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ values, says string }{
		"typo":              {"image: {repositry: x}", "'repositry'"},
		"typo at the top":   {"watchNamespace: [media]", "'watchNamespace'"},
		"typo in crds":      {"crds: {kept: true}", "'kept'"},
		"text for a number": {"replicas: two", "/replicas"},
		"typo in pods":      {"streamPods: {nodeSelectors: {}}", "'nodeSelectors'"},
		"no namespace name": {"watchNamespaces: [Media]", "/watchNamespaces/0"},
		"whenIdle":          {"upgrades: {whenIdle: later}", "/upgrades/whenIdle"},
		"log level":         {"log: {level: verbose}", "/log/level"},
		"origins":           {"networkPolicies: {origins: [origin.example.com]}", "/networkPolicies/origins/0"},
		"digest":            {"image: {digest: latest}", "/image/digest"},
		"pull policy":       {"image: {pullPolicy: Sometimes}", "/image/pullPolicy"},
		"runbooks":          {"metrics: {prometheusRule: {runbooks: here}}", "/metrics/prometheusRule/runbooks"},
		"monitor alone":     {"metrics: {service: {enabled: false}, serviceMonitor: {enabled: true}}", "set metrics.service.enabled to true"},
		"account unnamed":   {"serviceAccount: {create: false}", "serviceAccount.name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var values map[string]any
			if err := yaml.Unmarshal([]byte(c.values), &values); err != nil {
				t.Fatal(err)
			}
			_, err := install(values)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q in it", err, c.says)
			}
		})
	}
}

// A key that only one of the two files knows is either unusable or undocumented.
func TestSchemaKnowsEveryValue(t *testing.T) {
	t.Parallel()
	var values map[string]any
	var schema map[string]any
	for name, into := range map[string]any{"values.yaml": &values, "values.schema.json": &schema} {
		raw, err := os.ReadFile(chartDir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".json") {
			err = json.Unmarshal(raw, into)
		} else {
			err = yaml.UnmarshalStrict(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	sameKeys(t, "", schema, values)
}

func sameKeys(t *testing.T, path string, schema, values map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 {
		return // a map that people fill as they like
	}
	if schema["additionalProperties"] != false {
		t.Errorf("%s. takes any key", path)
	}
	for key, value := range values {
		property, ok := properties[key].(map[string]any)
		if !ok {
			t.Errorf("values.schema.json lacks %s.%s", path, key)
			continue
		}
		if below, ok := value.(map[string]any); ok && len(below) > 0 {
			sameKeys(t, path+"."+key, property, below)
		}
	}
	for key := range properties {
		if _, ok := values[key]; !ok && key != "global" && key != "enabled" && path+"."+key != ".resources.claims" {
			t.Errorf("values.yaml lacks %s.%s", path, key)
		}
	}
}
