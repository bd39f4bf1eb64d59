package deploy

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// overlay writes a kustomization on top of config/default and returns its folder.
func overlay(t *testing.T, more string) string {
	t.Helper()
	// Kustomize does not follow symbolic links out of a folder, and a temporary folder may be below one.
	dir, err1 := filepath.EvalSymlinks(t.TempDir())
	base, err2 := relative(dir, defaultDir)
	component, err3 := relative(dir, policiesDir)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("resources: [%s]\n%s", base, strings.ReplaceAll(more, policiesDir, component))
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// relative is the path from a folder to a folder of the repository.
func relative(from, to string) (string, error) {
	absolute, err := filepath.Abs(to)
	if err != nil {
		return "", err
	}
	return filepath.Rel(from, absolute)
}

func TestImagesChangeManagerAndStreams(t *testing.T) {
	t.Parallel()
	dir := overlay(t, "images: [{name: localhost/p2pstream, newName: registry.example.com/p2pstream, newTag: v0.1.0}]\n")
	c := manager(t, built(t, dir))
	const want = "registry.example.com/p2pstream:v0.1.0"
	if got := env(c, "P2PSTREAM_IMAGE"); c.Image != want || got != want {
		t.Errorf("manager runs %s, streams %s, want %s for both", c.Image, got, want)
	}
}

func TestNamespaceChangesAsAWhole(t *testing.T) {
	t.Parallel()
	for key, object := range built(t, overlay(t, "namespace: media-cdn\n")) {
		raw, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw), namespace) {
			t.Errorf("%s still names %s", key, namespace)
		}
	}
}

func TestSamplesAreAllListed(t *testing.T) {
	t.Parallel()
	dir := repository + "/config/samples"
	files, err := filepath.Glob(dir + "/p2p*_*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := built(t, dir)
	if len(all) != len(files) || len(files) == 0 {
		t.Errorf("kustomize builds %d streams of %d files: %v", len(all), len(files), files)
	}
	for key := range all {
		if !strings.HasPrefix(key, "P2PStream ") && !strings.HasPrefix(key, "P2PNetwork ") {
			t.Errorf("%s is no stream and no network", key)
		}
	}
}

// Client-side apply keeps the whole object in an annotation, which has a limit.
func TestDefinitionIsSmall(t *testing.T) {
	t.Parallel()
	for name, all := range installations(t) {
		for _, key := range []string{crdKey, networkCRDKey} {
			raw, err := all[key].MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if len(raw) >= 100_000 {
				t.Errorf("%s: %s has %d bytes, want less than 100,000", name, key, len(raw))
			}
			crd := get[apiextensionsv1.CustomResourceDefinition](t, all, key)
			if crd.Spec.Group != "p2pstream.dev" || len(crd.Spec.Versions) == 0 {
				t.Errorf("%s: %s is of %s and has %d versions", name, key, crd.Spec.Group, len(crd.Spec.Versions))
			}
		}
	}
}

func TestGoldenConfigDefault(t *testing.T) {
	t.Parallel()
	golden(t, "config-default.yaml", snapshot(t, built(t, defaultDir)))
}

// snapshot writes objects in a stable order. The CRD has its own tests and changes for other reasons.
func snapshot(t *testing.T, all objects) []byte {
	t.Helper()
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key == crdKey || key == networkCRDKey {
			continue
		}
		raw, err := yaml.Marshal(all[key].Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "---\n%s", raw)
	}
	return []byte(out.String())
}
