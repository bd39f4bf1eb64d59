package diagnose

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var (
	// Kubelets' messages about volumes that they cannot mount.
	missingSecret    = regexp.MustCompile(`secret "([^"]+)" not found`)
	missingConfigMap = regexp.MustCompile(`configmap "([^"]+)" not found`)
	missingKey       = regexp.MustCompile(`references non-existent secret key: (\S+)`)
	volumeName       = regexp.MustCompile(`for volume "([^"]+)"`)
)

// unmounted: a volume of the pod cannot be mounted. Only events show that.
func unmounted(pod *corev1.Pod, in Input) *Problem {
	secrets := in.Secrets
	failures := lastRound(in.Events, Object{Kind: "Pod", Name: pod.Name, UID: pod.UID}, failedMount)
	if len(failures) == 0 {
		return nil
	}
	var named, own []string
	for _, e := range failures {
		if m := missingSecret.FindStringSubmatch(e.Message); m != nil {
			if p, ok := in.Issued[m[1]]; ok {
				return &p
			}
			if field, ok := secrets[m[1]]; ok {
				named = append(named, fmt.Sprintf("Secret %q, which %s names, is not in namespace %s", m[1], field, pod.Namespace))
			} else {
				own = append(own, strconv.Quote(m[1]))
			}
		}
		if m := missingConfigMap.FindStringSubmatch(e.Message); m != nil {
			if field, ok := secrets[ConfigMap(m[1])]; ok {
				return &Problem{Reason: v1.ReasonUnavailable, Stalls: true, Heals: true, Message: fmt.Sprintf(
					"ConfigMap %q, which %s names, is not in namespace %s. Create it there; the pods then start by themselves.",
					m[1], field, pod.Namespace)}
			}
		}
	}
	slices.Sort(named)
	switch named = slices.Compact(named); {
	case len(named) > 0:
		return &Problem{Reason: v1.ReasonSecretNotFound, Stalls: true, Heals: true,
			Message: strings.Join(named, ". ") + ". Create it there; the pods then start by themselves."}
	case len(own) > 0:
		return &Problem{Reason: v1.ReasonSecretNotFound, Message: fmt.Sprintf(
			"Pod %s waits for Secret %s of namespace %s, which the operator creates. If it is still missing after a minute, see the operator's log.",
			pod.Name, own[0], pod.Namespace)}
	}
	text := failures[0].Message
	if m := missingKey.FindStringSubmatch(text); m != nil {
		return &Problem{Reason: v1.ReasonSecretNotFound, Stalls: true, Heals: true, Message: fmt.Sprintf(
			"A Secret has no key %q, so pod %s cannot mount volume %q. Add the key to the Secret that %s.",
			m[1], pod.Name, volumeOf(text), namedBy(pod, volumeOf(text), secrets))}
	}
	return &Problem{Reason: v1.ReasonUnavailable, Message: fmt.Sprintf(
		"Pod %s cannot mount a volume: %s See kubectl describe pod %s.", pod.Name, sentence(text), pod.Name)}
}

// roundTime is how long a kubelet takes at most to try all volumes of a pod. Failures of earlier rounds may be fixed by now.
const roundTime = 5 * time.Second

// lastRound returns the events of a reason about an object that came with the most recent one, that one first.
func lastRound(events []corev1.Event, about Object, reason string) []*corev1.Event {
	newest := latest(events, about, reason)
	if newest == nil {
		return nil
	}
	round := []*corev1.Event{newest}
	for i := range events {
		if e := latest(events[i:i+1], about, reason); e != nil && e != newest && when(newest).Sub(when(e)) <= roundTime {
			round = append(round, e)
		}
	}
	return round
}

// LacksSecret tells whether a pod waits for a Secret of that name.
func LacksSecret(in Input, name string) bool {
	for i := range in.Pods {
		pod := &in.Pods[i]
		if !preparing(pod) {
			continue
		}
		for _, e := range lastRound(in.Events, Object{Kind: "Pod", Name: pod.Name, UID: pod.UID}, failedMount) {
			if m := missingSecret.FindStringSubmatch(e.Message); m != nil && m[1] == name {
				return true
			}
		}
	}
	return false
}

func volumeOf(message string) string {
	if m := volumeName.FindStringSubmatch(message); m != nil {
		return m[1]
	}
	return ""
}

// namedBy says which field of the spec names the Secret of a volume.
func namedBy(pod *corev1.Pod, volume string, secrets map[string]string) string {
	for _, v := range pod.Spec.Volumes {
		if v.Name == volume && v.Secret != nil {
			if field, named := secrets[v.Secret.SecretName]; named {
				return fmt.Sprintf("%s names, %q", field, v.Secret.SecretName)
			}
			return fmt.Sprintf("the pod mounts, %q", v.Secret.SecretName)
		}
	}
	return "the pod mounts there"
}

// latest returns the most recent event of a reason about an object.
func latest(events []corev1.Event, about Object, reason string) *corev1.Event {
	var found *corev1.Event
	for i := range events {
		e := &events[i]
		if e.Reason != reason || e.InvolvedObject.Name != about.Name ||
			(about.UID != "" && e.InvolvedObject.UID != "" && e.InvolvedObject.UID != about.UID) {
			continue
		}
		if found == nil || !when(e).Before(when(found)) {
			found = e
		}
	}
	return found
}

// when an event happened last: its writers fill one field or another.
func when(e *corev1.Event) time.Time {
	t := e.CreationTimestamp.Time
	for _, other := range []time.Time{e.FirstTimestamp.Time, e.EventTime.Time, e.LastTimestamp.Time} {
		if other.After(t) {
			t = other
		}
	}
	if e.Series != nil && e.Series.LastObservedTime.After(t) {
		t = e.Series.LastObservedTime.Time
	}
	return t
}
