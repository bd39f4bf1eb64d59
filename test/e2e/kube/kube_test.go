package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// fakeKubectl is a script instead of kubectl.
func fakeKubectl(t *testing.T, script string) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubectl")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := v1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return &Client{WithWatch: fake.NewClientBuilder().WithScheme(scheme).Build(), kubeconfig: "somewhere", kubectl: []string{path, "--"}}
}

// TestManifest: manifests of tests have only fields that a user would write, and the operator's own reader
// accepts them.
func TestManifest(t *testing.T) {
	t.Parallel()
	c := fakeKubectl(t, "")
	doc, err := c.Manifest(&v1.P2PStream{
		ObjectMeta: metav1.ObjectMeta{Name: "town-hall", Namespace: "media"},
		Spec:       v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://origin/live/master.m3u8"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, alien := range []string{"status", "creationTimestamp", "null"} {
		if strings.Contains(doc, alien) {
			t.Errorf("the manifest has %s, which no user writes:\n%s", alien, doc)
		}
	}
	if s, err := v1.Load(strings.NewReader(doc)); err != nil || s.Name != "town-hall" {
		t.Errorf("Load = %+v, %v", s, err)
	}
}

func TestKubectl(t *testing.T) {
	t.Parallel()
	out, err := fakeKubectl(t, `echo "$@ $KUBECONFIG"; cat`).KubectlIn(t.Context(), "read", "apply", "-f", "-")
	if err != nil || out != "-- apply -f - somewhere\nread" {
		t.Errorf("KubectlIn = %q, %v", out, err)
	}
	_, err = fakeKubectl(t, `echo no such thing >&2; exit 3`).Kubectl(t.Context(), "get", "x")
	if err == nil || !strings.Contains(err.Error(), "kubectl get x") || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("Kubectl = %v, want an error that says what was run and what it complained of", err)
	}
}
