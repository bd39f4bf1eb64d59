package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/certmanager"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// CacheOptions keep the cache to what the loop looks at: children and pods that carry our label, in the given
// namespaces (all, when there are none), and of each pod and node the few fields that are read. A cache of a kind that the cluster
// lacks would never fill.
func CacheOptions(namespaces []string, kinds exposure.Kinds) cache.Options {
	shared := true // there may be thousands of nodes, and the operator never changes them
	o := cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Pod{}:  {Label: ours(), Transform: slimPod},
			&corev1.Node{}: {Transform: slimNode, UnsafeDisableDeepCopy: &shared},
		},
		// Kinds that are not listed here must not be cached by accident.
		ReaderFailOnMissingInformer: true,
	}
	for _, child := range childKinds(kinds) {
		o.ByObject[child] = cache.ByObject{Label: ours()}
	}
	if len(namespaces) > 0 {
		o.DefaultNamespaces = map[string]cache.Config{}
		for _, n := range namespaces {
			o.DefaultNamespaces[n] = cache.Config{}
		}
	}
	return o
}

// childKinds are the kinds of plan.Kinds that the cluster has, as objects.
func childKinds(kinds exposure.Kinds) []client.Object {
	all := []client.Object{&corev1.ConfigMap{}, &corev1.Service{}, &networkingv1.Ingress{}, &networkingv1.NetworkPolicy{}, &policyv1.PodDisruptionBudget{},
		&appsv1.Deployment{}, &appsv1.StatefulSet{}}
	return append(all, optionalKinds(kinds)...)
}

// optionalKinds are those that a cluster may lack.
func optionalKinds(kinds exposure.Kinds) []client.Object {
	var all []client.Object
	if kinds.HTTPRoute {
		all = append(all, &gatewayv1.HTTPRoute{})
	}
	if kinds.TLSRoute {
		all = append(all, &gatewayv1.TLSRoute{})
	}
	if kinds.Certificate {
		all = append(all, &certmanager.Certificate{})
	}
	return all
}

// Cached are the kinds that the loop reads from the cache.
func Cached(nodes bool, kinds exposure.Kinds) []client.Object {
	all := append(childKinds(kinds), &v1.P2PStream{}, &v1.P2PNetwork{}, &corev1.Pod{})
	if nodes {
		all = append(all, &corev1.Node{})
	}
	return all
}

func ours() labels.Selector {
	managed, err := labels.NewRequirement(plan.LabelManagedBy, selection.Equals, []string{plan.ManagedBy})
	if err != nil {
		return labels.Nothing() // cannot happen: the label is a constant
	}
	return labels.NewSelector().Add(*managed)
}

// slimPod keeps the fields that are read: node, addresses and state of a pod.
func slimPod(o any) (any, error) {
	pod, is := o.(*corev1.Pod)
	if !is {
		return o, nil
	}
	slim := &corev1.Pod{
		TypeMeta:   pod.TypeMeta,
		ObjectMeta: slimMeta(pod.ObjectMeta),
		Spec:       corev1.PodSpec{NodeName: pod.Spec.NodeName},
		Status: corev1.PodStatus{
			Phase: pod.Status.Phase, Conditions: pod.Status.Conditions, Reason: pod.Status.Reason, Message: pod.Status.Message,
			PodIP: pod.Status.PodIP, HostIP: pod.Status.HostIP, ContainerStatuses: pod.Status.ContainerStatuses,
		},
	}
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil {
			slim.Spec.Volumes = append(slim.Spec.Volumes, corev1.Volume{Name: v.Name,
				VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: v.Secret.SecretName}}})
		}
	}
	return slim, nil
}

// slimNode keeps a node's addresses and whether it is ready.
func slimNode(o any) (any, error) {
	node, is := o.(*corev1.Node)
	if !is {
		return o, nil
	}
	slim := &corev1.Node{TypeMeta: node.TypeMeta, ObjectMeta: slimMeta(node.ObjectMeta), Status: corev1.NodeStatus{Addresses: node.Status.Addresses}}
	slim.Labels = nil
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			slim.Status.Conditions = append(slim.Status.Conditions, c)
		}
	}
	return slim, nil
}

func slimMeta(m metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion,
		CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp, Labels: m.Labels, OwnerReferences: m.OwnerReferences}
}
