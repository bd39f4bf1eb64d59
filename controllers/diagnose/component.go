package diagnose

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// Component returns the problems of one component, the most likely cause first.
func Component(in Input) []Problem {
	var found []Problem
	add := func(p *Problem) {
		if p != nil {
			p.Component = in.Component
			found = append(found, *p)
		}
	}
	add(refused(in))
	for i := range in.Pods {
		pod := &in.Pods[i]
		if pod.DeletionTimestamp != nil {
			continue
		}
		add(unscheduled(pod))
		for _, c := range pod.Status.ContainerStatuses {
			add(notStarting(pod, c, in.Component))
		}
		if preparing(pod) {
			add(unmounted(pod, in))
		}
	}
	return Sort(found)
}

// refused: the API server rejects the pods. A Deployment has a condition for that, a StatefulSet only events.
func refused(in Input) *Problem {
	text := ""
	for _, c := range in.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			text = c.Message
		}
	}
	if text == "" && int32(len(in.Pods)) < in.Wanted {
		if e := latest(in.Events, in.Owner, failedCreate); e != nil {
			text = e.Message
		}
	}
	if text == "" {
		return nil
	}
	heals := true
	next := "Find the admission policy that rejects pods in this namespace, and change the policy or the spec"
	switch {
	case strings.Contains(text, "violates PodSecurity"):
		heals = false
		next = "Set the namespace's label pod-security.kubernetes.io/enforce to a level that admits these pods"
	case strings.Contains(text, "exceeded quota"):
		next = "Raise the namespace's ResourceQuota, or request less in spec." + field(in.Component) + ".resources"
	case strings.Contains(text, "failed quota"), strings.Contains(text, "must specify"):
		next = "Set spec." + field(in.Component) + ".resources as the namespace's ResourceQuota requires"
	case strings.Contains(text, "serviceaccount"):
		next = "Create the service account default in the namespace"
	}
	if in.Owner.Kind == "StatefulSet" {
		next += "; the StatefulSet is retried by itself, which may take minutes"
	}
	return &Problem{Reason: v1.ReasonPodsForbidden, Stalls: true, Heals: heals,
		Message: fmt.Sprintf("%s %s cannot create pods: %s %s.", in.Owner.Kind, in.Owner.Name, sentence(text), next)}
}

// unscheduled pods wait for a node. Nodes are added and removed, so the stream waits and does not stall.
func unscheduled(pod *corev1.Pod) *Problem {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && c.Reason == corev1.PodReasonUnschedulable {
			return &Problem{Reason: v1.ReasonUnschedulable, Message: fmt.Sprintf(
				"Pod %s cannot be scheduled: %s Add a suitable node, or change resources, nodeSelector or tolerations in the spec.",
				pod.Name, sentence(c.Message))}
		}
	}
	return nil
}

// notStarting: the container cannot be created, or crashes repeatedly.
func notStarting(pod *corev1.Pod, c corev1.ContainerStatus, component string) *Problem {
	if c.State.Waiting == nil {
		return nil
	}
	switch c.State.Waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError", "RegistryUnavailable":
		return &Problem{Reason: v1.ReasonImagePullFailed, Stalls: true, Heals: c.State.Waiting.Reason != "InvalidImageName", Message: fmt.Sprintf(
			"Pod %s cannot pull image %q: %s Make the image available to the nodes, or restart the operator with another --image.",
			pod.Name, c.Image, sentence(orText(c.State.Waiting.Message, c.State.Waiting.Reason)))}
	case "CrashLoopBackOff":
		return crashing(pod, c, component)
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return &Problem{Reason: v1.ReasonCrashLooping, Stalls: true, Heals: true, Message: fmt.Sprintf(
			"The node cannot start the container of pod %s: %s See kubectl describe pod %s.",
			pod.Name, sentence(orText(c.State.Waiting.Message, c.State.Waiting.Reason)), pod.Name)}
	}
	return nil
}

func crashing(pod *corev1.Pod, c corev1.ContainerStatus, component string) *Problem {
	how, next := "crashed repeatedly", "See kubectl logs --previous "+pod.Name
	if t := c.LastTerminationState.Terminated; t != nil {
		how = fmt.Sprintf("crashed %d times, most recently with exit code %d", c.RestartCount, t.ExitCode)
		if t.Reason == "OOMKilled" {
			how = fmt.Sprintf("crashed %d times, most recently because it needed more memory than its limit", c.RestartCount)
			next = "Raise spec." + field(component) + ".resources.limits.memory"
		}
		if text := sentence(t.Message); text != "" {
			how += ": " + strings.TrimSuffix(text, ".")
		}
	}
	return &Problem{Reason: v1.ReasonCrashLooping, Stalls: true, Heals: true,
		Message: fmt.Sprintf("Pod %s %s. %s.", pod.Name, how, next)}
}

func field(component string) string {
	if component == "seeder" || component == "edge" { // those of sites have their resources from the same field
		return "seeders"
	}
	return component
}

func orText(s, otherwise string) string {
	if strings.TrimSpace(s) == "" {
		return otherwise
	}
	return s
}
