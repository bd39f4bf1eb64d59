package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	seeder "github.com/p2pstream/p2pstream/runtime/seeder/config"
	stun "github.com/p2pstream/p2pstream/runtime/stun/config"
	tracker "github.com/p2pstream/p2pstream/runtime/tracker/config"
)

// forEachCase runs a test on the plan of every case below testdata.
func forEachCase(t *testing.T, test func(t *testing.T, name string, p Plan)) {
	t.Helper()
	t.Parallel()
	for _, name := range cases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, name, makePlan(t, name))
		})
	}
}

// object reads an apply configuration as the API server does: into the object's own type.
func object(t testing.TB, o Object) client.Object {
	t.Helper()
	var into client.Object
	switch o.Kind {
	case "ConfigMap":
		into = &corev1.ConfigMap{}
	case "Service":
		into = &corev1.Service{}
	case "Ingress":
		into = &networkingv1.Ingress{}
	case "HTTPRoute":
		into = &gatewayv1.HTTPRoute{}
	case "TLSRoute":
		into = &gatewayv1.TLSRoute{}
	case certmanager.Kind:
		into = &certmanager.Certificate{}
	case "NetworkPolicy":
		into = &networkingv1.NetworkPolicy{}
	case "PodDisruptionBudget":
		into = &policyv1.PodDisruptionBudget{}
	case "Deployment":
		into = &appsv1.Deployment{}
	case "StatefulSet":
		into = &appsv1.StatefulSet{}
	default:
		t.Fatalf("%s %s: a kind that Kinds does not know", o.Kind, o.Name)
	}
	raw, err := json.Marshal(o.Apply)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s %s: %v", o.Kind, o.Name, err)
	}
	return into
}

// podTemplateOf is nil for objects without pods.
func podTemplateOf(o client.Object) *corev1.PodTemplateSpec {
	switch o := o.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *appsv1.StatefulSet:
		return &o.Spec.Template
	}
	return nil
}

func TestPlansAreTheSameEveryTime(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, p Plan) {
		want := text(t, p)
		for range 20 {
			again := makePlan(t, name)
			if diff := cmp.Diff(want, text(t, again)); diff != "" {
				t.Fatalf("another plan of the same\n%s", diff)
			}
			for i := range p.Objects {
				if p.Objects[i].Hash != again.Objects[i].Hash {
					t.Errorf("%s: another hash of the same", p.Objects[i].Name)
				}
			}
		}
	})
}

func TestOrderOfFactsMakesNoDifference(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "everything")
	want, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(facts.Nodes)
	got, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text(t, want), text(t, got)); diff != "" {
		t.Error(diff)
	}
}

func TestInputsAreNotChanged(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t) {
		stream, facts := read(t, name)
		sameStream, sameFacts := read(t, name)
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		// Changing the plan does not change its inputs either.
		for _, o := range p.Objects {
			if d, ok := o.Apply.(interface{ GetName() *string }); ok {
				*d.GetName() = "changed"
			}
		}
		p.Endpoints.STUN = append(p.Endpoints.STUN[:0:len(p.Endpoints.STUN)], "changed")
		if diff := cmp.Diff(sameStream, stream); diff != "" {
			t.Errorf("%s: stream\n%s", name, diff)
		}
		if diff := cmp.Diff(sameFacts, facts); diff != "" {
			t.Errorf("%s: facts\n%s", name, diff)
		}
	}
}

func TestPlansMayBeMadeAtTheSameTime(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "everything")
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := Make(stream, facts)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestChildrenCarryOnlyOurLabels(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, p Plan) {
		stream, _ := read(t, name)
		for _, o := range p.Objects {
			child := object(t, o)
			component := child.GetLabels()[LabelComponent]
			if !slices.Contains([]string{ComponentTracker, ComponentSTUN, ComponentSeeder, ComponentEdge}, component) {
				t.Errorf("%s: component %q", o.Name, component)
			}
			want := Labels(stream.Name, component)
			if component == ComponentEdge {
				want[LabelEdge] = child.GetLabels()[LabelEdge]
			}
			if diff := cmp.Diff(want, child.GetLabels()); diff != "" {
				t.Errorf("%s %s: labels\n%s", o.Kind, o.Name, diff)
			}
			if len(child.GetAnnotations()) > 0 {
				t.Errorf("%s %s: annotations %v", o.Kind, o.Name, child.GetAnnotations())
			}
			if template := podTemplateOf(child); template != nil {
				shape := orEmpty(stream.Spec.Pods) // asks for more, on pods alone
				if diff := cmp.Diff(overlay(shape.Labels, want), template.Labels); diff != "" {
					t.Errorf("%s %s: labels of its pods\n%s", o.Kind, o.Name, diff)
				}
				own := maps.Clone(template.Annotations)
				maps.DeleteFunc(own, func(key, _ string) bool { _, asked := shape.Annotations[key]; return asked })
				if keys := slices.Collect(maps.Keys(own)); len(keys) != 1 || keys[0] != AnnotationConfigHash {
					t.Errorf("%s %s: annotations of its pods %v", o.Kind, o.Name, template.Annotations)
				}
			}
		}
	})
}

func TestChildrenAreOwned(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, p Plan) {
		stream, _ := read(t, name)
		seen := map[Ref]bool{}
		for _, o := range p.Objects {
			child := object(t, o)
			if seen[o.Ref] {
				t.Errorf("%s %s: twice", o.Kind, o.Name)
			}
			seen[o.Ref] = true
			if child.GetNamespace() != stream.Namespace || child.GetName() != o.Name {
				t.Errorf("%s %s: is %s/%s", o.Kind, o.Name, child.GetNamespace(), child.GetName())
			}
			if !metav1.IsControlledBy(child, stream) || len(child.GetOwnerReferences()) != 1 {
				t.Errorf("%s %s: owners %v", o.Kind, o.Name, child.GetOwnerReferences())
			}
		}
		for _, ref := range p.Pending {
			if seen[ref] {
				t.Errorf("%s %s: both planned and pending", ref.Kind, ref.Name)
			}
		}
	})
}

// TestNothingIsWrittenDifferently requires every value to be spelled as the API server stores it. Any other spelling
// would show as a permanent difference.
func TestNothingIsWrittenDifferently(t *testing.T) {
	forEachCase(t, func(t *testing.T, _ string, p Plan) {
		for _, o := range p.Objects {
			want, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o.Apply)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object(t, o))
			if err != nil {
				t.Fatal(err)
			}
			if diff := missing(o.Name, want, stored); diff != "" {
				t.Error(diff)
			}
		}
	})
}

// missing names the first part of want that is not in got, or is empty.
func missing(at string, want, got any) string {
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		for k := range want {
			if diff := missing(at+"."+k, want[k], got[k]); diff != "" {
				return diff
			}
		}
		return ""
	case []any:
		got, _ := got.([]any)
		if len(want) != len(got) {
			return fmt.Sprintf("%s: %v, stored %v", at, want, got)
		}
		for i := range want {
			if diff := missing(fmt.Sprintf("%s[%d]", at, i), want[i], got[i]); diff != "" {
				return diff
			}
		}
		return ""
	}
	if !cmp.Equal(want, got) {
		return fmt.Sprintf("%s: %v, stored %v", at, want, got)
	}
	return ""
}

func TestLongestNamesFit(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "everything")
	stream.Name = strings.Repeat("n", v1.MaxNameLength)
	replicas := int32(64)
	stream.Spec.Seeders.Replicas = &replicas
	p, err := Make(stream, facts)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{TokenSecretName(stream.Name)}
	for _, o := range p.Objects {
		names = append(names, o.Name)
		for k, v := range object(t, o).GetLabels() {
			for _, problem := range validation.IsValidLabelValue(v) {
				t.Errorf("%s: label %s: %s", o.Name, k, problem)
			}
		}
		if o.Kind == "StatefulSet" {
			names = append(names, o.Name+"-0123456789") // the revision, which becomes a label of the pods
		}
	}
	for _, name := range names {
		for _, problem := range validation.IsDNS1035Label(name) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// TestProgramsReadTheirConfiguration decodes each file as its program does.
func TestProgramsReadTheirConfiguration(t *testing.T) {
	forEachCase(t, func(t *testing.T, name string, p Plan) {
		stream, _ := read(t, name)
		readable := 0
		for _, o := range p.Objects {
			cm, ok := object(t, o).(*corev1.ConfigMap)
			if !ok {
				continue
			}
			switch o.Name {
			case TrackerName(stream.Name):
				validConfig[tracker.Config](t, cm.Data[fileTracker])
				var servers []string
				strict(t, cm.Data[fileSTUN], &servers)
				if servers == nil {
					t.Error("stun.json holds no list")
				}
			case STUNName(stream.Name):
				validConfig[stun.Config](t, cm.Data[fileSTUN])
			case SeederName(stream.Name):
				c := validConfig[seeder.Config](t, cm.Data[fileSeeder])
				_, listed := cm.Data[fileICEPorts]
				if exposed := c.ICEPortsFile != ""; exposed != listed || exposed == (c.ICEListen != "") {
					t.Errorf("ice ports: file %q, list %v, listen %q", c.ICEPortsFile, listed, c.ICEListen)
				}
			default:
				if cm.Labels[LabelComponent] == ComponentEdge {
					if c := validConfig[seeder.Config](t, cm.Data[fileSeeder]); c.Site == "" {
						t.Errorf("ConfigMap %s names no site", o.Name)
					}
					break
				}
				t.Errorf("ConfigMap %s", o.Name)
			}
			readable++
		}
		if readable == 0 {
			t.Error("no configuration")
		}
	})
}

func validConfig[C interface{ Validate() error }](t *testing.T, text string) C {
	t.Helper()
	var c C
	strict(t, text, &c)
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	return c
}

func strict(t *testing.T, text string, into any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%v in %s", err, text)
	}
}

func orEmpty(s *v1.PodsSpec) *v1.PodsSpec {
	if s == nil {
		return &v1.PodsSpec{}
	}
	return s
}
