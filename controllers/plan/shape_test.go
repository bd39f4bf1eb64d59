package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func TestLayered(t *testing.T) {
	t.Parallel()
	installation := &v1.PodsSpec{
		Labels: map[string]string{"team": "media", "cost": "1"}, NodeSelector: map[string]string{"pool": "streams"},
		Tolerations: []corev1.Toleration{{Key: "a"}}, PriorityClassName: "normal", ServiceAccountName: "streams",
		Env: []v1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://p"}, {Name: "NO_PROXY", Value: ".svc"}}, ImagePullSecrets: []v1.SecretReference{{Name: "registry"}},
	}
	own := &v1.PodsSpec{
		Labels: map[string]string{"team": "news"}, Annotations: map[string]string{"a": "b"}, NodeSelector: map[string]string{"disk": "ssd"},
		Tolerations: []corev1.Toleration{}, PriorityClassName: "on-air", Env: []v1.EnvVar{{Name: "HTTPS_PROXY", Value: "http://q"}},
	}
	want := v1.PodsSpec{
		Labels: map[string]string{"team": "news", "cost": "1"}, Annotations: map[string]string{"a": "b"},
		NodeSelector: map[string]string{"kubernetes.io/os": "linux", "pool": "streams", "disk": "ssd"},
		Tolerations:  []corev1.Toleration{}, PriorityClassName: "on-air", ServiceAccountName: "streams",
		Env: []v1.EnvVar{{Name: "NO_PROXY", Value: ".svc"}, {Name: "HTTPS_PROXY", Value: "http://q"}}, ImagePullSecrets: []v1.SecretReference{{Name: "registry"}},
	}
	before := installation.DeepCopy()
	if diff := cmp.Diff(want, layered(installation, own)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, installation); diff != "" {
		t.Errorf("the defaults were changed: %s", diff)
	}
	if got := layered(nil, &v1.PodsSpec{NodeSelector: map[string]string{"kubernetes.io/os": "windows"}}).NodeSelector["kubernetes.io/os"]; got != "windows" {
		t.Errorf("a stream cannot choose its nodes: %s", got)
	}
}

// TestSpreadOfEachComponent: a constraint without a selector counts the pods of the component that has it.
func TestSpreadOfEachComponent(t *testing.T) {
	t.Parallel()
	given := &metav1.LabelSelector{MatchLabels: map[string]string{"x": "y"}}
	s, err := shapeOf(nil, &v1.PodsSpec{TopologySpreadConstraints: []corev1.TopologySpreadConstraint{
		{MaxSkew: 1, TopologyKey: "zone", WhenUnsatisfiable: corev1.DoNotSchedule},
		{MaxSkew: 2, TopologyKey: "rack", WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: given}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, component := range []string{ComponentTracker, ComponentSeeder} {
		got := s.spread(Selector("live", component), corev1.LabelHostname)
		if len(got) != 2 || got[0].LabelSelector.MatchLabels[LabelComponent] != component || got[1].LabelSelector.MatchLabels["x"] != "y" || *got[1].MaxSkew != 2 {
			t.Errorf("%s: %+v", component, got)
		}
	}
	plain, err := shapeOf(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := plain.spread(Selector("live", ComponentSeeder), corev1.LabelHostname, corev1.LabelTopologyZone); len(got) != 2 || *got[1].TopologyKey != corev1.LabelTopologyZone {
		t.Errorf("%+v", got)
	}
}
