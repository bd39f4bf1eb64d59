package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var monitoringOn = map[string]any{"metrics": map[string]any{
	"serviceMonitor": map[string]any{"enabled": true},
	"podMonitor":     map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}},
	"prometheusRule": map[string]any{"enabled": true, "labels": map[string]any{"release": "prometheus"}, "runbooks": "https://wiki.example.com/p2pstream"},
	"dashboards":     map[string]any{"enabled": true, "annotations": map[string]any{"grafana_folder": "video"}},
}}

func TestMonitoringIsOffByDefault(t *testing.T) {
	t.Parallel()
	for key := range rendered(t, nil) {
		for _, kind := range []string{"PodMonitor", "ServiceMonitor", "PrometheusRule", "ConfigMap"} {
			if strings.HasPrefix(key, kind+" ") {
				t.Errorf("%s is installed by default", key)
			}
		}
	}
}

func TestPodMonitorFindsThePodsOfStreams(t *testing.T) {
	t.Parallel()
	monitor := rendered(t, monitoringOn)["PodMonitor p2pstream-system/p2pstream-streams"]
	if monitor == nil || monitor.GetLabels()["release"] != "prometheus" {
		t.Fatalf("the monitor lacks its label: %v", monitor)
	}
	if got := at(t, monitor, "spec.namespaceSelector"); !reflect.DeepEqual(got, map[string]any{"any": true}) {
		t.Errorf("looks into %v", got)
	}
	endpoint := at(t, monitor, "spec.podMetricsEndpoints").([]any)[0].(map[string]any)
	if endpoint["port"] != "admin" || endpoint["honorLabels"] != true {
		t.Errorf("scrapes %v", endpoint)
	}
	var labels []string
	for _, r := range endpoint["relabelings"].([]any) {
		labels = append(labels, r.(map[string]any)["targetLabel"].(string))
	}
	if !slices.Equal(labels, []string{"name", "component", "component"}) {
		t.Errorf("sets the labels %v", labels)
	}
	values := map[string]any{"watchNamespaces": []any{"media"}, "metrics": monitoringOn["metrics"]}
	monitor = rendered(t, values)["PodMonitor p2pstream-system/p2pstream-streams"]
	if got := at(t, monitor, "spec.namespaceSelector"); !reflect.DeepEqual(got, map[string]any{"matchNames": []any{"media"}}) {
		t.Errorf("looks into %v, want the watched namespaces", got)
	}
}

// The rules that are installed are those that Prometheus is tested with.
func TestPrometheusRuleHasTheRules(t *testing.T) {
	t.Parallel()
	object := rendered(t, monitoringOn)["PrometheusRule p2pstream-system/p2pstream"]
	if object == nil || object.GetLabels()["release"] != "prometheus" {
		t.Fatalf("the rules lack their label: %v", object)
	}
	raw, err := os.ReadFile(chartDir + "/monitoring/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const pages = "https://github.com/p2pstream/p2pstream/blob/main/docs/runbooks/"
	if !strings.Contains(string(raw), pages) {
		t.Errorf("no alert links to %s", pages)
	}
	var want map[string]any
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(raw), pages, "https://wiki.example.com/p2pstream/")), &want); err != nil {
		t.Fatal(err)
	}
	if got := at(t, object, "spec"); !reflect.DeepEqual(normal(t, got), normal(t, want)) {
		t.Errorf("installed are\n%v\nwant\n%v", got, want)
	}
}

// normal has one type for all numbers.
func normal(t *testing.T, v any) (out any) {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDashboardsAreInstalledUnchanged(t *testing.T) {
	t.Parallel()
	all := rendered(t, monitoringOn)
	files, err := filepath.Glob(chartDir + "/monitoring/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		object := all["ConfigMap p2pstream-system/p2pstream-dashboard-"+name]
		if object == nil {
			t.Errorf("there is no ConfigMap for %s", name)
			continue
		}
		if object.GetLabels()["grafana_dashboard"] != "1" || object.GetAnnotations()["grafana_folder"] != "video" {
			t.Errorf("%s: labels %v, annotations %v", name, object.GetLabels(), object.GetAnnotations())
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := unstructured.NestedString(object.Object, "data", filepath.Base(file))
		if err != nil || strings.TrimSpace(got) != strings.TrimSpace(string(raw)) {
			t.Errorf("%s differs from its file: %v", name, err)
		}
	}
}
