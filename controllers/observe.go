package controllers

import (
	"context"
	"fmt"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/status"
)

// observe does all the reading of a run: the cache, what trackers answered, and the events about pods that wait.
func (r *Reconciler) observe(ctx context.Context, n *run) (*snapshot, error) {
	defer r.Metrics.phase("observe", r.Now)()
	s := &snapshot{children: map[plan.Ref]client.Object{}, pods: map[string][]corev1.Pod{},
		workloads: map[string]status.Workload{}, waiting: map[string]diagnose.Input{}, tokenSecret: plan.TokenSecretName(n.stream.Name)}
	if err := r.readAll(ctx, n.stream, n.stream, s); err != nil {
		return nil, err
	}
	if err := r.readShared(ctx, n, s); err != nil {
		return nil, err
	}
	r.readEntrance(ctx, n.stream, s)
	for ref, child := range s.children {
		n.memory.observed.Note(ref.Name, child)
	}
	s.observed = maps.Clone(n.memory.observed)
	r.readTrackers(n, s)
	s.sized = r.size(n, s)
	r.pollers.Listen(client.ObjectKeyFromObject(n.stream), s.sized != nil && s.sized.Seeders == 0)
	for _, component := range components {
		s.workloads[component] = s.workload(n.stream, component)
		if !s.workloads[component].Complete() {
			s.waiting[component] = s.diagnosis(n.stream, component)
		}
	}
	r.readEvents(ctx, n, s)
	return s, nil
}

// readAll reads what an owner has, which is planned from a stream.
func (r *Reconciler) readAll(ctx context.Context, owner client.Object, stream *v1.P2PStream, s *snapshot) error {
	if err := r.readChildren(ctx, owner, s); err != nil {
		return err
	}
	if err := r.readPods(ctx, owner, s); err != nil {
		return err
	}
	return r.readNodes(ctx, stream, s)
}

// readEntrance reads what leads to the tracker and is no child of its owner.
func (r *Reconciler) readEntrance(ctx context.Context, stream *v1.P2PStream, s *snapshot) {
	s.ingressClasses = r.classes.of(ctx, stream)
	s.kinds, s.gateways, s.resolved = r.Kinds, r.gates.of(ctx, stream), r.hosts.of(stream)
}

// readShared reads what an attached stream has of its network.
func (r *Reconciler) readShared(ctx context.Context, n *run, s *snapshot) error {
	a := n.network
	if a == nil {
		return nil
	}
	s.absent = map[string]bool{plan.ComponentTracker: true, plan.ComponentSTUN: true}
	s.tokenSecret = seederSecret(n.stream.Name, r.Key().seederToken(n.stream.UID))
	if !a.served {
		return nil
	}
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(a.key.Namespace), client.MatchingFields{networkField: a.key.Name}); err != nil {
		return fmt.Errorf("listing pods of network %s: %w", a.key, err)
	}
	for _, pod := range pods.Items {
		if pod.Labels[plan.LabelComponent] == plan.ComponentTracker {
			s.shared = append(s.shared, pod)
		}
	}
	return nil
}

// childrenOf selects the objects of a stream or a network.
func childrenOf(owner client.Object) client.MatchingFields {
	if apply.OwnerLabel(owner) == plan.LabelNetwork {
		return client.MatchingFields{networkField: owner.GetName()}
	}
	return client.MatchingFields{streamField: owner.GetName()}
}

// readChildren collects the objects of this very stream or network; others that carry its label are left alone.
func (r *Reconciler) readChildren(ctx context.Context, owner client.Object, s *snapshot) error {
	lists := map[string]client.ObjectList{
		"ConfigMap": &corev1.ConfigMapList{}, "Service": &corev1.ServiceList{}, "Ingress": &networkingv1.IngressList{},
		"NetworkPolicy": &networkingv1.NetworkPolicyList{}, "PodDisruptionBudget": &policyv1.PodDisruptionBudgetList{}, "Deployment": &appsv1.DeploymentList{}, "StatefulSet": &appsv1.StatefulSetList{},
	}
	if r.Kinds.HTTPRoute {
		lists["HTTPRoute"] = &gatewayv1.HTTPRouteList{}
	}
	if r.Kinds.TLSRoute {
		lists["TLSRoute"] = &gatewayv1.TLSRouteList{}
	}
	if r.Kinds.Certificate {
		lists[certmanager.Kind] = &certmanager.CertificateList{}
	}
	for kind, list := range lists {
		if err := r.Client.List(ctx, list, client.InNamespace(owner.GetNamespace()), childrenOf(owner)); err != nil {
			return fmt.Errorf("listing %ss: %w", kind, err)
		}
		for _, o := range items(list) {
			if apply.Owned(o, owner) {
				s.children[plan.Ref{Kind: kind, Name: o.GetName()}] = o
			}
		}
	}
	return nil
}

func items(list client.ObjectList) []client.Object {
	var all []client.Object
	switch l := list.(type) {
	case *corev1.ConfigMapList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *corev1.ServiceList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *networkingv1.IngressList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *gatewayv1.HTTPRouteList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *gatewayv1.TLSRouteList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *certmanager.CertificateList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *networkingv1.NetworkPolicyList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *policyv1.PodDisruptionBudgetList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *appsv1.DeploymentList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	case *appsv1.StatefulSetList:
		for i := range l.Items {
			all = append(all, &l.Items[i])
		}
	}
	return all
}

func (r *Reconciler) readPods(ctx context.Context, owner client.Object, s *snapshot) error {
	var pods corev1.PodList
	if err := r.Client.List(ctx, &pods, client.InNamespace(owner.GetNamespace()), childrenOf(owner)); err != nil {
		return fmt.Errorf("listing pods: %w", err)
	}
	for _, pod := range pods.Items {
		component := pod.Labels[plan.LabelComponent]
		s.pods[component] = append(s.pods[component], pod)
	}
	return nil
}

// readNodes is skipped for streams whose exposure needs no nodes: nodes are only read for their addresses.
func (r *Reconciler) readNodes(ctx context.Context, stream *v1.P2PStream, s *snapshot) error {
	if r.WithoutNodes || !exposure.NeedsNodes(&stream.Spec) {
		return nil
	}
	var nodes corev1.NodeList
	if err := r.Client.List(ctx, &nodes); err != nil {
		return fmt.Errorf("listing nodes: %w", err)
	}
	s.nodes = nodes.Items
	return nil
}
