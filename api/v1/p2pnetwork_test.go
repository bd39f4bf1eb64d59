package v1

import (
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// TestNetworksAreValidatedAsByTheCRD holds Validate to the cases that the rules of the CRD are held to.
func TestNetworksAreValidatedAsByTheCRD(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/networks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name    string         `json:"name"`
		Network string         `json:"network"`
		Spec    P2PNetworkSpec `json:"spec"`
		Want    string         `json:"want"`
	}
	if err := yaml.UnmarshalStrict(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for _, tt := range cases {
		n := &P2PNetwork{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "ecdn"}, Spec: tt.Spec}
		if tt.Network != "" {
			n.Name = tt.Network
		}
		err := n.Validate().ToAggregate()
		if (err == nil) != (tt.Want == "") || err != nil && !strings.Contains(err.Error(), tt.Want) {
			t.Errorf("%s: %v, want %q", tt.Name, err, tt.Want)
		}
	}
	bad := &P2PNetwork{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: P2PNetworkSpec{Streams: &NetworkStreamsSpec{Namespaces: &NetworkNamespaces{
		From: NamespacesFromSelector, Selector: &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Near"}}}}}}}
	if err := bad.Validate().ToAggregate(); err == nil || !strings.Contains(err.Error(), "spec.streams.namespaces.selector") {
		t.Errorf("a selector that selects nothing: %v", err)
	}
}

func TestWhoIsAdmitted(t *testing.T) {
	t.Parallel()
	labelled := map[string]string{"ecdn": "yes"}
	for name, c := range map[string]struct {
		from              NamespacesFrom
		same, other, with bool
	}{
		"by default": {"", true, false, false},
		"Same":       {NamespacesFromSame, true, false, false},
		"All":        {NamespacesFromAll, true, true, true},
		"Selector":   {NamespacesFromSelector, false, false, true},
	} {
		n := &P2PNetwork{ObjectMeta: metav1.ObjectMeta{Name: "corp", Namespace: "ecdn"},
			Spec: P2PNetworkSpec{Streams: &NetworkStreamsSpec{Namespaces: &NetworkNamespaces{From: c.from}}}}
		if c.from == NamespacesFromSelector {
			n.Spec.Streams.Namespaces.Selector = &metav1.LabelSelector{MatchLabels: labelled}
		}
		if n.Admits("ecdn", nil) != c.same || n.Admits("video", nil) != c.other || n.Admits("video", labelled) != c.with {
			t.Errorf("%s: own namespace %v, another %v, one with the label %v", name, n.Admits("ecdn", nil), n.Admits("video", nil), n.Admits("video", labelled))
		}
	}
	if bare := (&P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: "ecdn"}}); !bare.Admits("ecdn", nil) || bare.Admits("video", labelled) {
		t.Error("a network without settings is for its own namespace")
	}
}
