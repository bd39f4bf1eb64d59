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

// TestStreamsOnANetworkAreShaped: its template is the default of their pods, between that of the installation and their own, which counts
// unless the network forbids that.
func TestStreamsOnANetworkAreShaped(t *testing.T) {
	t.Parallel()
	network := &v1.P2PNetwork{Spec: v1.P2PNetworkSpec{
		Pods:    &v1.PodsSpec{Labels: map[string]string{"of": "network", "network": "yes"}, PriorityClassName: "network", NodeSelector: map[string]string{"pool": "network"}},
		Seeders: &v1.NetworkSeedersSpec{Tolerations: []corev1.Toleration{{Key: "network"}}}}}
	network.Name, network.Namespace = "corp", "media"
	stream := &v1.P2PStream{Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "http://o.example.com/m.m3u8"}, NetworkRef: &v1.NetworkReference{Name: "corp"},
		Pods:    &v1.PodsSpec{Labels: map[string]string{"of": "stream"}, PriorityClassName: "stream"},
		Seeders: &v1.SeedersSpec{NodeSelector: map[string]string{"pool": "stream"}, Tolerations: []corev1.Toleration{{Key: "stream"}}}}}
	stream.Name, stream.Namespace, stream.UID = "live", "media", "u"
	facts := Facts{Image: "i", Pods: &v1.PodsSpec{Labels: map[string]string{"of": "installation", "installation": "yes"}, PriorityClassName: "installation"},
		Network: &Attachment{Namespace: "media", Name: "corp", TokenSecret: "t", Served: true, Pods: network.Spec.Pods}}
	for _, tt := range []struct {
		overrides            v1.PodOverrides
		of, pool, toleration string
		above                int
	}{
		{"", "stream", "stream", "stream", 0},
		{v1.PodOverridesAllowed, "stream", "stream", "stream", 0},
		{v1.PodOverridesForbidden, "network", "network", "network", 3},
	} {
		network.Spec.Streams = &v1.NetworkStreamsSpec{PodOverrides: tt.overrides}
		before := stream.DeepCopy()
		attached, above, err := Attach(stream, network)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, stream); diff != "" {
			t.Errorf("%q: the stream was changed: %s", tt.overrides, diff)
		}
		if len(above) != tt.above {
			t.Errorf("%q: it says %q", tt.overrides, above)
		}
		p, err := Make(attached, facts)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, o := range p.Objects {
			pods := podTemplateOf(object(t, o))
			if pods == nil {
				continue
			}
			found = true
			if l := pods.Labels; l["of"] != tt.of || l["network"] != "yes" || l["installation"] != "yes" || pods.Spec.PriorityClassName != tt.of ||
				pods.Spec.NodeSelector["pool"] != tt.pool || len(pods.Spec.Tolerations) != 1 || pods.Spec.Tolerations[0].Key != tt.toleration {
				t.Errorf("%q: labels %v, priority %s, nodes %v, tolerations %v", tt.overrides, l, pods.Spec.PriorityClassName, pods.Spec.NodeSelector, pods.Spec.Tolerations)
			}
		}
		if !found {
			t.Error("the stream has no pods")
		}
	}
}
