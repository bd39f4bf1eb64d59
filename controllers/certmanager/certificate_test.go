package certmanager

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/yaml"

	lab "github.com/p2pstream/p2pstream/test/lab/certmanager"
)

// TestTypesAreThoseOfTheResource: each field that is written or read is one of cert-manager's own schema, of the same type.
func TestTypesAreThoseOfTheResource(t *testing.T) {
	t.Parallel()
	file, err := lab.CRD()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Type       string             `json:"type"`
		Properties map[string]*schema `json:"properties"`
		Items      *schema            `json:"items"`
	}
	var crd struct {
		Spec struct {
			Group    string `json:"group"`
			Versions []struct {
				Name   string `json:"name"`
				Schema struct {
					Schema *schema `json:"openAPIV3Schema"`
				} `json:"schema"`
			} `json:"versions"`
			Names struct {
				Kind string `json:"kind"`
			} `json:"names"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(raw, &crd); err != nil {
		t.Fatal(err)
	}
	if crd.Spec.Group != Group || crd.Spec.Names.Kind != Kind || len(crd.Spec.Versions) != 1 || crd.Spec.Versions[0].Name != GroupVersion.Version {
		t.Fatalf("the resource is %s of %s", crd.Spec.Names.Kind, crd.Spec.Group)
	}
	full := Certificate{
		Spec: CertificateSpec{SecretName: "s", DNSNames: []string{"d"}, IPAddresses: []string{"i"}, IssuerRef: IssuerReference{Name: "n", Kind: "k", Group: "g"}},
		Status: CertificateStatus{Conditions: []metav1.Condition{{Type: "t", Status: "True", Reason: "r", Message: "m", ObservedGeneration: 1,
			LastTransitionTime: metav1.Unix(1, 0)}}},
	}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	var compare func(path string, value any, s *schema)
	compare = func(path string, value any, s *schema) {
		if s == nil {
			t.Errorf("%s is no field of the resource", path)
			return
		}
		switch v := value.(type) {
		case map[string]any:
			for name, item := range v {
				compare(path+"."+name, item, s.Properties[name])
			}
		case []any:
			compare(path+"[]", v[0], s.Items)
		case string:
			if s.Type != "string" {
				t.Errorf("%s is a %s", path, s.Type)
			}
		}
	}
	for _, part := range []string{"spec", "status"} {
		compare(part, fields[part], crd.Spec.Versions[0].Schema.Schema.Properties[part])
	}
}

// TestCopiesAreDeep: a change of a copy does not reach the cache.
func TestCopiesAreDeep(t *testing.T) {
	t.Parallel()
	list := &CertificateList{Items: []Certificate{{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"a": "b"}}, Spec: CertificateSpec{DNSNames: []string{"x"}, IPAddresses: []string{"y"}},
		Status: CertificateStatus{Conditions: []metav1.Condition{{Reason: "r"}}}}}}
	want := list.DeepCopyObject().(*CertificateList)
	changed := list.DeepCopyObject().(*CertificateList)
	c := changed.Items[0].DeepCopyObject().(*Certificate)
	for _, c := range []*Certificate{c, &changed.Items[0]} {
		c.Labels["a"], c.Spec.DNSNames[0], c.Spec.IPAddresses[0], c.Status.Conditions[0].Reason = "c", "z", "z", "z"
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("%+v", list)
	}
}

// TestConfigurationNamesItself: clients send it to the address that it says.
func TestConfigurationNamesItself(t *testing.T) {
	t.Parallel()
	c := New("live-tracker", "media", map[string]string{"a": "b"}, metav1ac.OwnerReference().WithName("live"), CertificateSpec{SecretName: "s"})
	if *c.GetKind() != Kind || *c.GetAPIVersion() != "cert-manager.io/v1" || *c.GetName() != "live-tracker" || *c.GetNamespace() != "media" {
		t.Errorf("%+v", c)
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var read Certificate
	if err := json.Unmarshal(raw, &read); err != nil || read.Name != "live-tracker" || read.Labels["a"] != "b" || read.OwnerReferences[0].Name != "live" || read.Spec.SecretName != "s" {
		t.Errorf("%v, %s", err, raw)
	}
}
