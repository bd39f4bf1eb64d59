package diagnose

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Input is what was seen of one component.
type Input struct {
	Component string
	// Owner of the pods, for events and messages: the Deployment or the StatefulSet. A zero UID means that
	// there is none.
	Owner Object
	// Wanted is how many pods the owner should have.
	Wanted int32
	Pods   []corev1.Pod
	// Conditions of the Deployment; a StatefulSet has none.
	Conditions []appsv1.DeploymentCondition
	// Events about what Ask named; may be nil.
	Events []corev1.Event
	// Secrets by name, and ConfigMaps by the result of ConfigMap, with the field of the spec that names each.
	Secrets map[string]string
	// Issued are Secrets that cert-manager makes, with the problem that it is when one is not there.
	Issued map[string]Problem
}

// ConfigMap is the key of a ConfigMap in Input.Secrets: a name with a slash, which no Secret has.
func ConfigMap(name string) string { return "configmap/" + name }

// Object names something that events are about.
type Object struct {
	Kind string
	Name string
	UID  types.UID
}

// Reasons of the events that a diagnosis looks at.
const (
	failedCreate = "FailedCreate"
	failedMount  = "FailedMount"
)

// Uses tells whether a diagnosis looks at events of a reason; others need not be kept.
func Uses(reason string) bool { return reason == failedCreate || reason == failedMount }

// Ask lists the objects whose events would tell more than their statuses do; at most a handful, since
// pods of one component mostly wait for the same thing.
func Ask(in Input) []Object {
	const most = 3
	var ask []Object
	if in.Owner.UID != "" && len(in.Conditions) == 0 && int32(len(in.Pods)) < in.Wanted {
		ask = append(ask, in.Owner)
	}
	for i := range in.Pods {
		if pod := &in.Pods[i]; preparing(pod) && len(ask) < most {
			ask = append(ask, Object{Kind: "Pod", Name: pod.Name, UID: pod.UID})
		}
	}
	return ask
}

// preparing tells whether a pod has a node, but no container there that has started or failed to.
func preparing(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.Phase != corev1.PodPending || pod.Spec.NodeName == "" {
		return false
	}
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Waiting == nil || (c.State.Waiting.Reason != "ContainerCreating" && c.State.Waiting.Reason != "") {
			return false
		}
	}
	return true
}
