package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const operatorManifest = `# a comment
---
apiVersion: v1
kind: Namespace
metadata: {name: p2pstream-system, labels: {a: b}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: p2pstream-manager}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: p2pstream-manager, namespace: p2pstream-system}
spec:
  template:
    spec:
      containers:
      - name: manager
        image: localhost/p2pstream:dev
        args: [manager, --image=localhost/p2pstream:dev, --leader-elect]
        env:
        - {name: P2PSTREAM_IMAGE, value: localhost/p2pstream:dev}
        - {name: OTHER, value: localhost/p2pstream:dev}
      - name: sidecar
        image: registry.example.com/proxy:1
`

func TestGoldenObjects(t *testing.T) {
	t.Parallel()
	operator, err := parseObjects([]byte(operatorManifest))
	if err != nil {
		t.Fatal(err)
	}
	office, err := officeObjects(officeNamespace("office-a"), []audience{
		{"town-hall", "http://10.200.1.2:31000/media/town-hall/v1/config", 4}, {"training", "http://10.200.1.2:31000/learning/training/v1/config", 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	origin, err := parseObjects(originManifest)
	if err != nil {
		t.Fatal(err)
	}
	for name, all := range map[string][]object{"operator": operator, "office": office, "origin": origin, "namespace": {namespaceObject("media")}} {
		label(all, "run1")
		setImage(all, "registry.example.com/p2pstream:v1")
		out, err := encodeObjects(all)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "objects-"+name+".yaml", string(out))
	}
}

func TestParseObjectsRefuses(t *testing.T) {
	t.Parallel()
	for _, manifest := range []string{"a: [", "- a\n"} {
		if _, err := parseObjects([]byte(manifest)); err == nil || !strings.Contains(err.Error(), "document 1") {
			t.Errorf("parseObjects(%q) = %v, want an error with the document's number", manifest, err)
		}
	}
}

func TestImageName(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"p2pstream": "p2pstream", "localhost/p2pstream:dev": "p2pstream", "registry:5000/team/p2pstream@sha256:ab": "p2pstream",
		"registry:5000/p2pstream-tools:1": "p2pstream-tools", "": ".",
	} {
		if got := imageName(image); got != want {
			t.Errorf("imageName(%q) = %q, want %q", image, got, want)
		}
	}
}

func TestForeignChecks(t *testing.T) {
	t.Parallel()
	all, err := parseObjects([]byte(operatorManifest))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range foreignChecks(all) {
		got = append(got, n.kind+"/"+n.name)
	}
	want := "namespace/p2pstream-system clusterrole/p2pstream-manager namespace/p2pstream-demo-office-a namespace/p2pstream-demo-office-b"
	if strings.Join(got, " ") != want {
		t.Errorf("foreignChecks = %v, want %s", got, want)
	}
}

func TestCRDNext(t *testing.T) {
	t.Parallel()
	for crd, want := range map[string]string{
		`{"metadata": {"name": "p2pstreams.p2pstream.dev"}}`:                                 "delete crd p2pstreams.p2pstream.dev",
		`{"metadata": {"labels": {"p2pstream.dev/demo-run": "run1"}}}`:                       "-l p2pstream.dev/demo-run=run1",
		`{"metadata": {"name": "p2pstreams.p2pstream.dev", "labels": {"app": "p2pstream"}}}`: "use another cluster",
		`not JSON`: "use another cluster",
	} {
		if got := crdNext([]byte(crd), "kind-a"); !strings.Contains(got, want) || !strings.Contains(got, "--context kind-a") {
			t.Errorf("crdNext(%s) = %q, want %q in it", crd, got, want)
		}
	}
}

func TestNodes(t *testing.T) {
	t.Parallel()
	const nodes = `{"items": [
		{"metadata": {"name": "n0"}, "spec": {"unschedulable": true}, "status": {
			"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}], "conditions": [{"type": "Ready", "status": "False"}]}},
		{"metadata": {"name": "n1"}, "status": {
			"addresses": [{"type": "Hostname", "address": "n1"}, {"type": "InternalIP", "address": "10.0.1.2"}],
			"conditions": [{"type": "Ready", "status": "True"}], "images": [{"names": ["localhost/p2pstream:dev"]}]}},
		{"metadata": {"name": "n2"}, "status": {"images": [{"names": ["localhost/p2pstream:old"]}]}}]}`
	if got, err := nodeAddress([]byte(nodes)); err != nil || got != "10.0.1.2" {
		t.Errorf("nodeAddress = %q, %v", got, err)
	}
	if got, err := nodesWithout([]byte(nodes), localImage); err != nil || strings.Join(got, " ") != "n2" {
		t.Errorf("nodesWithout = %v, %v, want n2", got, err)
	}
	if _, err := nodeAddress([]byte(`{"items": []}`)); err == nil {
		t.Error("nodeAddress of no nodes gives no error")
	}
	if got, err := nodesWithout([]byte(`{"items": []}`), localImage); err != nil || len(got) == 0 {
		t.Errorf("nodesWithout of no nodes = %v, %v", got, err)
	}
	for raw, want := range map[string]int{`{"spec": {"ports": [{"nodePort": 31234}]}}`: 31234, `{"spec": {"ports": [{}]}}`: 0, `{}`: 0, `[`: 0} {
		if got, err := nodePort([]byte(raw)); got != want || (err == nil) != (want != 0) {
			t.Errorf("nodePort(%s) = %d, %v", raw, got, err)
		}
	}
	if got := hostPort("fd00::1", 80); got != "[fd00::1]:80" {
		t.Errorf("hostPort = %s", got)
	}
}

func TestStuckPods(t *testing.T) {
	t.Parallel()
	pod := func(reason string, restarts string) string {
		return `{"items": [{"metadata": {"name": "p"}, "status": {"containerStatuses": [
			{"image": "r/p:1", "restartCount": ` + restarts + `, "state": {"waiting": {"reason": "` + reason + `", "message": "m"}}}]}}]}`
	}
	for raw, want := range map[string]string{
		pod("ImagePullBackOff", "0"):  "pod p, image r/p:1: ImagePullBackOff: m",
		pod("ErrImagePull", "0"):      "",
		pod("ContainerCreating", "0"): "",
		pod("CrashLoopBackOff", "1"):  "",
		pod("CrashLoopBackOff", "3"):  "pod p, image r/p:1: CrashLoopBackOff: m",
		`{"items": []}`:               "",
	} {
		if got, err := stuckPods([]byte(raw)); err != nil || got != want {
			t.Errorf("stuckPods(%s) = %q, %v, want %q", raw, got, err, want)
		}
	}
}

func TestOfficeCounters(t *testing.T) {
	t.Parallel()
	got, err := officeCounters([]byte(`[{"name": "office-a", "rate": "20mbit", "wanBytesIn": 5, "wanBytesOut": 7}]`))
	if err != nil || len(got) != 1 || got["office-a"] != (counters{down: 5, up: 7}) {
		t.Errorf("officeCounters = %v, %v", got, err)
	}
	if _, err := officeCounters([]byte("none")); err == nil {
		t.Error("officeCounters of no JSON gives no error")
	}
}

func TestReadyViewers(t *testing.T) {
	t.Parallel()
	got, err := readyViewers([]byte(`{"items": [
		{"metadata": {"namespace": "p2pstream-demo-office-a"}, "status": {"readyReplicas": 3}},
		{"metadata": {"namespace": "p2pstream-demo-office-b"}, "status": {}},
		{"metadata": {"namespace": "p2pstream-demo-office-a"}, "status": {"readyReplicas": 1}},
		{"metadata": {"namespace": "p2pstream-system"}, "status": {"readyReplicas": 1}}]}`))
	if err != nil || len(got) != 2 || got["office-a"] != 4 || got["office-b"] != 0 {
		t.Errorf("readyViewers = %v, %v", got, err)
	}
	if _, err := readyViewers([]byte("none")); err == nil {
		t.Error("readyViewers of no JSON gives no error")
	}
}

// TestEverythingInTheOverlayIsRemoved looks for kinds and namespaces in config/default that removing a
// run would miss.
func TestEverythingInTheOverlayIsRemoved(t *testing.T) {
	t.Parallel()
	removed := map[string]bool{"Namespace": true, "CustomResourceDefinition": true, "ClusterRole": true, "ClusterRoleBinding": true}
	for kind := range removed {
		if !strings.Contains(removedKinds, strings.ToLower(kind)+"s") {
			t.Errorf("removing a run removes no %s", kind)
		}
	}
	files, err := filepath.Glob("../../config/[crm]*/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("files of the overlay: %v, %v", files, err)
	}
	namespaces := map[string]bool{}
	var all []object
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		objects, err := parseObjects(raw)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		for _, o := range objects {
			if o.kind() == "Namespace" {
				namespaces[o.name()] = true
			}
			if o.kind() != "" && o.kind() != "Kustomization" {
				all = append(all, o)
			}
		}
	}
	for _, o := range all {
		if o.namespace() == "" && !removed[o.kind()] || o.namespace() != "" && !namespaces[o.namespace()] {
			t.Errorf("%s would be left behind", o.id())
		}
	}
}

func TestAvailableMemory(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		"MemTotal:  9 kB\nMemAvailable:    2048 kB\nBuffers: 1 kB\n": 2 << 20,
		"MemAvailable: many kB\n":                                    0, "": 0,
	} {
		if got := availableMemory(text); got != want {
			t.Errorf("availableMemory(%q) = %d, want %d", text, got, want)
		}
	}
}
