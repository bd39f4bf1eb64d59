package controllers

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// maxNodes bounds the nodes whose addresses are written into the ConfigMap of seeders. Those that run seeders come first.
const maxNodes = 1000

// nodeAddresses are those that seeders on each node advertise. A node that is not ready for a while keeps its addresses: else its
// seeders would start again when it is back. Left out are nodes that are reached by the address that their pods know.
func nodeAddresses(s *snapshot) map[string][]string {
	runs := map[string]bool{}
	for _, component := range []string{plan.ComponentSeeder, plan.ComponentEdge} {
		for i := range s.pods[component] {
			runs[s.pods[component][i].Spec.NodeName] = true
		}
	}
	var nodes []*corev1.Node
	for i := range s.nodes {
		node := &s.nodes[i]
		reached := exposure.Reached(addresses(node), nil)
		if len(reached) > 0 && (len(reached) > 1 || reached[0] != hostIP(node)) {
			nodes = append(nodes, node)
		}
	}
	if len(nodes) == 0 {
		return nil
	}
	slices.SortFunc(nodes, func(a, b *corev1.Node) int {
		if runs[a.Name] != runs[b.Name] {
			if runs[a.Name] {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	all := map[string][]string{}
	for _, node := range nodes[:min(len(nodes), maxNodes)] {
		all[node.Name] = addresses(node)
	}
	return all
}

// hostIP is what pods know as the address of their node: the first internal one.
func hostIP(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}
