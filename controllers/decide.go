package controllers

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// decision is what a run makes of what it saw, before it plans.
type decision struct {
	// change: children may be written. A suspended stream is only observed.
	change bool
	// token: the token Secret has to be made, or may be gone.
	token bool
	// problems of the pods.
	problems []diagnose.Problem
	// facts of the cluster for the plan; the image is added by the plan phase.
	facts plan.Facts
}

// decide is pure.
func decide(stream *v1.P2PStream, s *snapshot) decision {
	d := decision{change: !stream.Spec.Suspend}
	for _, component := range components {
		if in, waits := s.waiting[component]; waits {
			d.problems = append(d.problems, diagnose.Component(in)...)
			d.token = d.token || diagnose.LacksSecret(in, s.tokenSecret)
		}
	}
	d.facts = plan.Facts{Observed: s.observed, Nodes: nodes(s), NodeAddresses: nodeAddresses(s), IngressClasses: s.ingressClasses, Kinds: s.kinds, Issued: s.issued(stream), Gateways: s.gateways, Resolved: s.resolved, SeederPods: seederPods(s.pods[plan.ComponentSeeder]),
		EdgePods: edgePods(s.pods[plan.ComponentEdge]), Endpoints: stream.Status.Endpoints}
	if s.sized != nil {
		d.facts.Seeders = &s.sized.Seeders
	}
	for i := range s.pods[plan.ComponentSTUN] {
		d.facts.STUNReady = d.facts.STUNReady || serving(&s.pods[plan.ComponentSTUN][i])
	}
	return d
}

// nodes that are ready, and what of the stream runs on each.
func nodes(s *snapshot) []plan.Node {
	var list []plan.Node
	for i := range s.nodes {
		node := &s.nodes[i]
		if !nodeReady(node) {
			continue
		}
		n := plan.Node{Name: node.Name, Addresses: addresses(node)}
		for j := range s.pods[plan.ComponentSTUN] {
			if pod := &s.pods[plan.ComponentSTUN][j]; pod.Spec.NodeName == node.Name {
				n.STUN = n.STUN || serving(pod)
				n.STUNStarting = n.STUNStarting || starting(pod)
			}
		}
		for j := range s.pods[plan.ComponentTracker] {
			if pod := &s.pods[plan.ComponentTracker][j]; pod.Spec.NodeName == node.Name {
				n.Tracker = n.Tracker || serving(pod)
			}
		}
		list = append(list, n)
	}
	return list
}

// addresses that a node's status lists: external ones first.
func addresses(node *corev1.Node) []string {
	var list []string
	for _, kind := range []corev1.NodeAddressType{corev1.NodeExternalIP, corev1.NodeInternalIP} {
		for _, a := range node.Status.Addresses {
			if a.Type == kind {
				list = append(list, a.Address)
			}
		}
	}
	return list
}

func nodeReady(node *corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// serving pods are ready and stay.
func serving(pod *corev1.Pod) bool { return pod.DeletionTimestamp == nil && ready(pod) }

// starting pods are on their way and have not failed.
func starting(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || ready(pod) || (pod.Status.Phase != corev1.PodPending && pod.Status.Phase != corev1.PodRunning) {
		return false
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.RestartCount > 0 || c.State.Terminated != nil ||
			(c.State.Waiting != nil && c.State.Waiting.Reason != "" && c.State.Waiting.Reason != "ContainerCreating" && c.State.Waiting.Reason != "PodInitializing") {
			return false
		}
	}
	return true
}

// seederPods is one more than the highest ordinal among pods, those that end included.
func seederPods(pods []corev1.Pod) int32 {
	var n int32
	for i := range pods {
		ordinal, err := strconv.ParseInt(pods[i].Name[strings.LastIndexByte(pods[i].Name, '-')+1:], 10, 31)
		if err == nil && ordinal < 1024 {
			n = max(n, int32(ordinal)+1)
		}
	}
	return n
}
