package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/controllers/sizing"
	"github.com/p2pstream/p2pstream/controllers/status"
	"github.com/p2pstream/p2pstream/controllers/totals"
)

// components of a stream, in the order in which they matter to a viewer.
var components = []string{plan.ComponentTracker, plan.ComponentSTUN, plan.ComponentSeeder, plan.ComponentEdge}

// snapshot is the cluster as one run sees it. Nothing changes it after observe.
type snapshot struct {
	children       map[plan.Ref]client.Object // those that the stream owns
	pods           map[string][]corev1.Pod    // by component
	nodes          []corev1.Node              // empty when no exposure uses nodes
	observed       exposure.Observed          // what the cluster assigned to children, with those that were deleted
	ingressClasses *exposure.IngressClasses   // nil when unknown, or when no exposure uses them
	kinds          exposure.Kinds
	gateways       map[string]exposure.Gateway // those that the exposure names and that are known
	resolved       []string                    // addresses of the tracker's host; none when unknown
	workloads      map[string]status.Workload  // by component
	waiting        map[string]diagnose.Input   // of the components that are not complete, with events
	absent         map[string]bool             // components that the network of the stream has, and the stream has not
	shared         []corev1.Pod                // trackers of the network
	tokenSecret    string                      // the Secret with the token of seeders

	reading        *status.Reading  // the last answer of the tracker; nil when there was none
	readingProblem string           // why there is no newer one
	readingPending bool             // this operator has just begun to ask, and has no answer yet
	unwritten      []totals.Reading // read to be kept, and not in status yet

	sized *sizing.Decision // how many seeders the audience gets; nil without spec.seeders.scale
}

// workload reads how far a component is from its Deployment or StatefulSet.
func (s *snapshot) workload(stream *v1.P2PStream, component string) status.Workload {
	if component == plan.ComponentEdge {
		return s.edgeWorkload(stream)
	}
	w := status.Workload{Wanted: s.wanted(stream, component)}
	switch o := s.children[workloadRef(stream.Name, component)].(type) {
	case *appsv1.Deployment:
		w.Exists, w.Current = o.DeletionTimestamp == nil, o.Status.ObservedGeneration >= o.Generation
		w.Pods, w.Ready, w.Updated = o.Status.Replicas, o.Status.ReadyReplicas, o.Status.UpdatedReplicas
	case *appsv1.StatefulSet:
		w.Exists, w.Current = o.DeletionTimestamp == nil, o.Status.ObservedGeneration >= o.Generation
		w.Pods, w.Ready, w.Updated = o.Status.Replicas, o.Status.ReadyReplicas, o.Status.UpdatedReplicas
	}
	return w
}

// wanted is how many pods of a component the spec asks for.
func (s *snapshot) wanted(stream *v1.P2PStream, component string) int32 {
	if s.absent[component] {
		return 0
	}
	spec := stream.Spec.WithDefaults()
	switch component {
	case plan.ComponentTracker:
		return *spec.Tracker.Replicas
	case plan.ComponentSTUN:
		if !*spec.STUN.Enabled {
			return 0
		}
		return *spec.STUN.Replicas
	case plan.ComponentEdge:
		return plan.EdgeReplicas(stream)
	}
	if s.sized != nil {
		return s.sized.Seeders
	}
	return plan.SeederReplicas(stream)
}

// workloadRef names what makes the pods of a component.
func workloadRef(stream, component string) plan.Ref {
	switch component {
	case plan.ComponentTracker:
		return plan.Ref{Kind: "Deployment", Name: plan.TrackerName(stream)}
	case plan.ComponentSTUN:
		return plan.Ref{Kind: "Deployment", Name: plan.STUNName(stream)}
	}
	return plan.Ref{Kind: "StatefulSet", Name: plan.SeederName(stream)}
}

// diagnosis is what package diagnose is asked about a component.
func (s *snapshot) diagnosis(stream *v1.P2PStream, component string) diagnose.Input {
	ref := workloadRef(stream.Name, component)
	if component == plan.ComponentEdge {
		return s.edgeDiagnosis(stream)
	}
	in := diagnose.Input{Component: component, Wanted: s.wanted(stream, component), Pods: s.pods[component],
		Owner: diagnose.Object{Kind: ref.Kind, Name: ref.Name}, Secrets: secrets(stream)}
	if component == plan.ComponentTracker {
		in.Issued = s.issuedSecrets(stream)
	}
	switch o := s.children[ref].(type) {
	case *appsv1.Deployment:
		in.Owner.UID, in.Conditions = o.UID, o.Status.Conditions
	case *appsv1.StatefulSet:
		in.Owner.UID = o.UID
		if o.Spec.Replicas != nil {
			in.Wanted = min(in.Wanted, *o.Spec.Replicas)
		}
	}
	return in
}

// secrets that the spec names, with the fields that name them.
func secrets(stream *v1.P2PStream) map[string]string {
	named := map[string]string{}
	if ref := stream.Spec.Source.HeadersSecretRef; ref != nil {
		named[string(ref.Name)] = "spec.source.headersSecretRef"
	}
	if ref := stream.Spec.Source.CASecretRef; ref != nil {
		named[string(ref.Name)] = "spec.source.caSecretRef"
	}
	if t := stream.Spec.Tracker; t != nil && t.Exposure != nil && t.Exposure.TLSSecretName != "" && t.Exposure.Certificate == nil {
		named[string(t.Exposure.TLSSecretName)] = "spec.tracker.exposure.tlsSecretName"
	}
	if v := stream.Spec.Viewers; v != nil && v.Tokens != nil {
		if ref := v.Tokens.SecretRef; ref != nil {
			named[string(ref.Name)] = "spec.viewers.tokens.secretRef"
		}
		if ref := v.Tokens.ConfigMapRef; ref != nil {
			named[diagnose.ConfigMap(string(ref.Name))] = "spec.viewers.tokens.configMapRef"
		}
	}
	return named
}

// ready tells whether a pod is.
func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
