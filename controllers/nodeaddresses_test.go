package controllers

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/p2pstream/p2pstream/controllers/plan"
)

// nodeWith makes a node with addresses, each given as type and address.
func nodeWith(name string, ready corev1.ConditionStatus, typed ...string) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name},
		Status: corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}}}
	for i := 0; i < len(typed); i += 2 {
		n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeAddressType(typed[i]), Address: typed[i+1]})
	}
	return n
}

func TestNodeAddresses(t *testing.T) {
	t.Parallel()
	s := &snapshot{nodes: []corev1.Node{
		nodeWith("plain", corev1.ConditionTrue, "InternalIP", "10.0.0.1", "Hostname", "plain"),
		nodeWith("cloud", corev1.ConditionTrue, "InternalIP", "10.0.0.2", "ExternalIP", "198.51.100.2", "Hostname", "cloud"),
		nodeWith("away", corev1.ConditionUnknown, "InternalIP", "10.0.0.3", "ExternalIP", "198.51.100.3"),
		nodeWith("dual", corev1.ConditionTrue, "InternalIP", "10.0.0.4", "InternalIP", "2001:db8::4"),
		nodeWith("outside", corev1.ConditionTrue, "ExternalIP", "198.51.100.5"),
		nodeWith("none", corev1.ConditionTrue, "Hostname", "none"),
	}}
	want := map[string][]string{
		"cloud": {"198.51.100.2", "10.0.0.2"}, "away": {"198.51.100.3", "10.0.0.3"}, "dual": {"10.0.0.4", "2001:db8::4"}, "outside": {"198.51.100.5"},
	}
	if diff := cmp.Diff(want, nodeAddresses(s)); diff != "" {
		t.Error(diff)
	}
}

// TestNodeAddressesAreBounded: with more nodes than are listed, those that run seeders are.
func TestNodeAddressesAreBounded(t *testing.T) {
	t.Parallel()
	s := &snapshot{pods: map[string][]corev1.Pod{plan.ComponentSeeder: {{Spec: corev1.PodSpec{NodeName: "node-1499"}}}}}
	for i := range 1500 {
		s.nodes = append(s.nodes, nodeWith(fmt.Sprintf("node-%04d", i), corev1.ConditionTrue, "ExternalIP", fmt.Sprintf("198.51.%d.%d", i/256, i%256)))
	}
	got := nodeAddresses(s)
	if len(got) != maxNodes || got["node-1499"] == nil || got["node-0000"] == nil || got["node-0999"] != nil {
		t.Errorf("%d nodes; with the one that runs a seeder: %v", len(got), got["node-1499"])
	}
}
