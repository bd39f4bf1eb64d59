package plan

import (
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"
)

// TestHeldPodsStay: the plan of a new version, held, is that of the former version for pods and what they read when they start, and
// its own for everything else.
func TestHeldPodsStay(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t) {
		stream, facts := read(t, name)
		facts.Image, facts.Installation = "former", "1"
		former, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		held, templates := map[string]Held{}, map[Ref]*corev1.PodTemplateSpec{}
		for _, o := range former.Objects {
			h := held[o.Name]
			switch child := object(t, o).(type) {
			case *corev1.ConfigMap:
				h.Config = child.Data
				h.Config["of-the-former-version"] = "stays"
				for _, program := range []string{fileTracker, fileSTUN, fileSeeder} {
					if _, has := h.Config[program]; has {
						h.Config[program] = "former configuration"
					}
				}
			case *appsv1.Deployment, *appsv1.StatefulSet:
				raw, err := json.Marshal(o.Apply)
				if err != nil {
					t.Fatal(err)
				}
				h.Applied, templates[o.Ref] = raw, podTemplateOf(child)
				if o.Template == "" || child.GetAnnotations()[AnnotationTemplate] != o.Template || child.GetAnnotations()[AnnotationInstallation] != "1" {
					t.Errorf("%s: %s %s is marked %v", name, o.Kind, o.Name, child.GetAnnotations())
				}
			default:
				continue
			}
			held[o.Name] = h
		}
		for name, h := range held {
			if h.Applied == nil {
				delete(held, name)
			}
		}
		facts.Image, facts.Installation = "new", "2"
		seven := int32(7)
		switch facts.SeederPods = 7; {
		case stream.Spec.Seeders != nil && stream.Spec.Seeders.Scale != nil:
			facts.Seeders = &seven
		case *stream.Spec.WithDefaults().Seeders.Replicas > 0:
			stream.Spec.Seeders = stream.Spec.WithDefaults().Seeders
			stream.Spec.Seeders.Replicas = &seven
		}
		fresh, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		before := text(t, fresh)
		got, err := fresh.Hold(held)
		if err != nil {
			t.Fatal(err)
		}
		if text(t, fresh) != before {
			t.Errorf("%s: the plan itself was changed", name)
		}
		for i, o := range got.Objects {
			child := object(t, o)
			switch child := child.(type) {
			case *corev1.ConfigMap:
				if _, is := held[o.Name]; !is {
					continue
				}
				for _, program := range []string{fileTracker, fileSTUN, fileSeeder} {
					if config, has := child.Data[program]; has && config != "former configuration" {
						t.Errorf("%s: ConfigMap %s has a new %s", name, o.Name, program)
					}
				}
				if child.Data["of-the-former-version"] != "stays" {
					t.Errorf("%s: ConfigMap %s lacks a file of the former version", name, o.Name)
				}
			case *appsv1.Deployment, *appsv1.StatefulSet:
				if diff := cmp.Diff(templates[o.Ref], podTemplateOf(child)); diff != "" && templates[o.Ref] != nil {
					t.Errorf("%s: pods of %s\n%s", name, o.Name, diff)
				}
				if set, is := child.(*appsv1.StatefulSet); is {
					if want := *object(t, fresh.Objects[i]).(*appsv1.StatefulSet).Spec.Replicas; *set.Spec.Replicas != want {
						t.Errorf("%s: %d pods of %s, want %d", name, *set.Spec.Replicas, o.Name, want)
					}
				}
			default:
				if o.Hash != fresh.Objects[i].Hash {
					t.Errorf("%s: %s %s is held", name, o.Kind, o.Name)
				}
			}
		}
	}
}
