package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	repository = "../.."
	chartDir   = repository + "/charts/p2pstream"
	defaultDir = repository + "/config/default"
	// policiesDir is a component of kustomize.
	policiesDir = repository + "/config/network-policies"
	namespace   = "p2pstream-system"
)

// objects are what would be sent to an API server, by "Kind namespace/name".
type objects map[string]*unstructured.Unstructured

// scheme holds the kinds of Kubernetes itself.
var scheme = sync.OnceValue(func() *runtime.Scheme {
	s := runtime.NewScheme()
	if err := errors.Join(clientscheme.AddToScheme(s), apiextensionsv1.AddToScheme(s)); err != nil {
		panic(err)
	}
	return s
})

// parse reads a stream of documents and refuses unknown and duplicate fields.
func parse(t *testing.T, stream []byte) objects {
	t.Helper()
	found := objects{}
	strict := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme(), scheme(), json.SerializerOptions{Yaml: true, Strict: true})
	for docs := yamlutil.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream))); ; {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(doc, &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, doc)
		}
		if len(object.Object) == 0 {
			continue
		}
		if _, _, err := strict.Decode(doc, nil, nil); err != nil && !runtime.IsNotRegisteredError(err) {
			t.Errorf("%v in\n%s", err, doc)
		}
		key := key(object)
		if found[key] != nil {
			t.Errorf("%s occurs twice", key)
		}
		found[key] = object
	}
}

func key(o *unstructured.Unstructured) string {
	return fmt.Sprintf("%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
}

// built is what `kubectl apply -k` would send.
func built(t *testing.T, dir string) objects {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, stream)
}

// install renders the chart as `helm template` would.
func install(values map[string]any) (*release.Release, error) {
	chart, err := loader.Load(chartDir)
	if err != nil {
		return nil, err
	}
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName, install.Namespace = "p2pstream", namespace
	install.KubeVersion = &common.KubeVersion{Version: "v1.31.0", Major: "1", Minor: "31"}
	made, err := install.Run(chart, values)
	if err != nil {
		return nil, err
	}
	return made.(*release.Release), nil
}

func rendered(t *testing.T, values map[string]any) objects {
	t.Helper()
	made, err := install(values)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, []byte(made.Manifest))
}

// get returns an object as the type that Kubernetes has for it.
func get[T any](t *testing.T, from objects, key string) T {
	t.Helper()
	var typed T
	object := from[key]
	if object == nil {
		t.Fatalf("there is no %s", key)
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &typed); err != nil {
		t.Fatal(err)
	}
	return typed
}

// golden compares with a file of testdata, or writes it where P2PSTREAM_UPDATE_GOLDEN is set.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("P2PSTREAM_UPDATE_GOLDEN") != "" {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run P2PSTREAM_UPDATE_GOLDEN=1 go test -run Golden ./... in test/deploy, and read the diff. Now it is:\n%s", path, got)
	}
}
