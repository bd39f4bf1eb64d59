package diagnose

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func pod(change func(*corev1.Pod)) corev1.Pod {
	p := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "a-tracker-x", Namespace: "media", UID: "u1"},
		Spec:       corev1.PodSpec{NodeName: "n1"},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	change(&p)
	return p
}

func waiting(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Image: "img:1", RestartCount: 4,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
	}
}

func crashed(t corev1.ContainerStateTerminated) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		waiting("CrashLoopBackOff", "back-off 40s")(p)
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &t
	}
}

func event(reason, message, object string, seconds int) corev1.Event {
	return corev1.Event{Reason: reason, Message: message, InvolvedObject: corev1.ObjectReference{Name: object},
		LastTimestamp: metav1.NewTime(start.Add(time.Duration(seconds) * time.Second))}
}

func TestComponent(t *testing.T) {
	t.Parallel()
	preparing := pod(waiting("ContainerCreating", ""))
	deployment := Object{"Deployment", "a-tracker", "d"}
	for name, tt := range map[string]struct {
		in     Input
		reason string
		stalls bool
		says   []string
	}{
		"nothing wrong": {in: Input{Pods: []corev1.Pod{preparing}}},
		"secret missing": {Input{Pods: []corev1.Pod{preparing}, Secrets: map[string]string{"tls": "spec.tracker.exposure.tlsSecretName"},
			Events: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "tls" not found`, "a-tracker-x", 1)}},
			v1.ReasonSecretNotFound, true, []string{`"tls"`, "spec.tracker.exposure.tlsSecretName", "namespace media", "Create it"}},
		"several secrets missing": {Input{Pods: []corev1.Pod{preparing}, Secrets: map[string]string{"tls": "spec.tracker.exposure.tlsSecretName", "ca": "spec.source.caSecretRef", "old": "spec.source.headersSecretRef"},
			Events: []corev1.Event{event("FailedMount", `secret "tls" not found`, "a-tracker-x", 120), event("FailedMount", `secret "ca" not found`, "a-tracker-x", 121),
				event("FailedMount", `secret "old" not found`, "a-tracker-x", 60)}},
			v1.ReasonSecretNotFound, true, []string{`Secret "ca", which spec.source.caSecretRef names, is not in namespace media. Secret "tls", which`}},
		"secret of our own missing": {Input{Pods: []corev1.Pod{preparing},
			Events: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "token" : secret "a-seeder-token" not found`, "a-tracker-x", 1)}},
			v1.ReasonSecretNotFound, false, []string{"a-seeder-token", "operator creates"}},
		"key missing": {Input{Pods: []corev1.Pod{pod(func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "ca", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "roots"}}}}
		})}, Secrets: map[string]string{"roots": "spec.source.caSecretRef"},
			Events: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "ca" : references non-existent secret key: ca.crt`, "a-tracker-x", 1)}},
			v1.ReasonSecretNotFound, true, []string{`"ca.crt"`, "spec.source.caSecretRef", `"roots"`}},
		"config map missing": {Input{Pods: []corev1.Pod{preparing}, Secrets: map[string]string{ConfigMap("keys"): "spec.viewers.tokens.configMapRef"},
			Events: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "viewer-keys" : configmap "keys" not found`, "a-tracker-x", 1)}},
			v1.ReasonUnavailable, true, []string{`ConfigMap "keys"`, "spec.viewers.tokens.configMapRef", "namespace media", "Create it"}},
		"another volume": {Input{Pods: []corev1.Pod{preparing},
			Events: []corev1.Event{event("FailedMount", `MountVolume.SetUp failed for volume "config" : configmap "a-tracker" not found`, "a-tracker-x", 1)}},
			v1.ReasonUnavailable, false, []string{"configmap", "kubectl describe pod a-tracker-x"}},
		"event of another pod": {in: Input{Pods: []corev1.Pod{preparing},
			Events: []corev1.Event{event("FailedMount", `secret "tls" not found`, "a-tracker-y", 1)}}},
		"the latest event counts": {Input{Pods: []corev1.Pod{preparing}, Secrets: map[string]string{"new": "spec.source.headersSecretRef", "old": "spec.source.headersSecretRef"},
			Events: []corev1.Event{event("FailedMount", `secret "new" not found`, "a-tracker-x", 9), event("FailedMount", `secret "old" not found`, "a-tracker-x", 1)}},
			v1.ReasonSecretNotFound, true, []string{`"new"`}},
		"image": {Input{Pods: []corev1.Pod{pod(waiting("ImagePullBackOff", `Back-off pulling image "img:1"`))}},
			v1.ReasonImagePullFailed, true, []string{`"img:1"`, "--image"}},
		"image never pulled": {Input{Pods: []corev1.Pod{pod(waiting("ErrImageNeverPull", ""))}},
			v1.ReasonImagePullFailed, true, []string{"ErrImageNeverPull"}},
		"image name": {Input{Pods: []corev1.Pod{pod(waiting("InvalidImageName", "couldn't parse"))}}, v1.ReasonImagePullFailed, true, []string{"couldn't parse."}},
		"crash": {Input{Pods: []corev1.Pod{pod(crashed(corev1.ContainerStateTerminated{ExitCode: 2, Message: "p2pstream: config.stream: no\n"}))}},
			v1.ReasonCrashLooping, true, []string{"4 times", "exit code 2", "config.stream: no", "kubectl logs --previous a-tracker-x"}},
		"crash with credentials": {Input{Pods: []corev1.Pod{pod(crashed(corev1.ContainerStateTerminated{ExitCode: 1, Message: "get https://me:secret@o.example/m.m3u8?token=secret: no"}))}},
			v1.ReasonCrashLooping, true, []string{"https://o.example/m.m3u8"}},
		"memory": {Input{Component: "seeder", Pods: []corev1.Pod{pod(crashed(corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}))}},
			v1.ReasonCrashLooping, true, []string{"more memory", "spec.seeders.resources.limits.memory"}},
		"container cannot be made": {Input{Pods: []corev1.Pod{pod(waiting("CreateContainerConfigError", "container has runAsNonRoot"))}},
			v1.ReasonCrashLooping, true, []string{"runAsNonRoot"}},
		"no node": {Input{Pods: []corev1.Pod{pod(func(p *corev1.Pod) {
			p.Spec.NodeName = ""
			p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, Message: "0/2 nodes are available"}}
		})}}, v1.ReasonUnschedulable, false, []string{"0/2 nodes", "nodeSelector"}},
		"pods forbidden, told by the Deployment": {Input{Wanted: 1, Owner: deployment, Conditions: []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure,
			Status: corev1.ConditionTrue, Message: `pods "x" is forbidden: violates PodSecurity "restricted:latest": hostPort`}}},
			v1.ReasonPodsForbidden, true, []string{"Deployment a-tracker", "violates PodSecurity", "pod-security.kubernetes.io/enforce"}},
		"pods forbidden, told by an event": {Input{Component: "seeder", Wanted: 1, Owner: Object{"StatefulSet", "a-seeder", "s"},
			Events: []corev1.Event{event("FailedCreate", `create Pod a-seeder-0 failed error: exceeded quota: q`, "a-seeder", 1)}},
			v1.ReasonPodsForbidden, true, []string{"StatefulSet a-seeder", "exceeded quota", "ResourceQuota", "spec.seeders.resources"}},
		"an old refusal": {in: Input{Wanted: 1, Owner: Object{"StatefulSet", "a-seeder", "s"}, Pods: []corev1.Pod{preparing},
			Events: []corev1.Event{event("FailedCreate", "exceeded quota", "a-seeder", 1)}}},
		"a pod that ends": {in: Input{Pods: []corev1.Pod{pod(func(p *corev1.Pod) {
			waiting("ImagePullBackOff", "")(p)
			p.DeletionTimestamp = &metav1.Time{Time: start}
		})}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Component(tt.in)
			if tt.reason == "" {
				if len(got) != 0 {
					t.Fatalf("found %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Reason != tt.reason || got[0].Stalls != tt.stalls || got[0].Component != tt.in.Component {
				t.Fatalf("found %+v, want %s", got, tt.reason)
			}
			for _, text := range tt.says {
				if !strings.Contains(got[0].Message, text) {
					t.Errorf("message does not say %q: %s", text, got[0].Message)
				}
			}
			if strings.Contains(got[0].Message, `"old"`) && !strings.Contains(name, "latest") {
				t.Errorf("message tells of what was mended: %s", got[0].Message)
			}
			if strings.Contains(got[0].Message, "secret@") || strings.Contains(got[0].Message, "token=") || strings.Contains(got[0].Message, "..") {
				t.Errorf("message: %s", got[0].Message)
			}
		})
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	in := []Problem{
		{Component: "seeder", Reason: v1.ReasonUnschedulable, Message: "a"},
		{Component: "tracker", Reason: v1.ReasonCrashLooping, Stalls: true, Message: "b"},
		{Component: "tracker", Reason: v1.ReasonCrashLooping, Stalls: true, Message: "c"},
		{Component: "seeder", Reason: v1.ReasonSecretNotFound, Stalls: true, Message: "d"},
		{Component: "", Reason: v1.ReasonNodePortTaken, Stalls: true, Message: "e"},
	}
	var got []string
	for _, p := range Sort(in) {
		got = append(got, p.Message)
	}
	if diff := cmp.Diff([]string{"e", "d", "b", "a"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	set := Object{"StatefulSet", "a-seeder", "s"}
	running := pod(func(p *corev1.Pod) { p.Status.Phase = corev1.PodRunning })
	for name, tt := range map[string]struct {
		in   Input
		want []string
	}{
		"pods missing from a StatefulSet":       {Input{Owner: set, Wanted: 1}, []string{"a-seeder"}},
		"pods missing from what does not exist": {Input{Owner: Object{Kind: "StatefulSet"}, Wanted: 1}, nil},
		"a Deployment tells by itself":          {Input{Owner: set, Wanted: 1, Conditions: []appsv1.DeploymentCondition{{}}}, nil},
		"a pod that is being prepared":          {Input{Owner: set, Wanted: 1, Pods: []corev1.Pod{pod(waiting("ContainerCreating", ""))}}, []string{"a-tracker-x"}},
		"a pod that runs":                       {Input{Owner: set, Wanted: 1, Pods: []corev1.Pod{running}}, nil},
		"many pods":                             {Input{Pods: []corev1.Pod{pod(func(*corev1.Pod) {}), pod(func(*corev1.Pod) {}), pod(func(*corev1.Pod) {}), pod(func(*corev1.Pod) {})}}, []string{"a-tracker-x", "a-tracker-x", "a-tracker-x"}},
		"a pod without a node":                  {Input{Pods: []corev1.Pod{pod(func(p *corev1.Pod) { p.Spec.NodeName = "" })}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, o := range Ask(tt.in) {
				got = append(got, o.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLacksSecret(t *testing.T) {
	t.Parallel()
	in := Input{Pods: []corev1.Pod{pod(func(*corev1.Pod) {})},
		Events: []corev1.Event{event("FailedMount", `secret "a-seeder-token" not found`, "a-tracker-x", 1)}}
	if !LacksSecret(in, "a-seeder-token") || LacksSecret(in, "tls") {
		t.Error("not told apart")
	}
	in.Pods[0].Status.Phase = corev1.PodRunning
	if LacksSecret(in, "a-seeder-token") {
		t.Error("a pod that runs lacks nothing")
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                          "",
		" a\n\tb\x00c ":             "a b c",
		"\xff\xfeok":                "ok",
		"GET http://u:p@h/x?k=v: 1": "GET http://h/x 1",
		"wss://h/announce?session=": "wss://h/announce",
	} {
		if got := Clean(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := Clean(strings.Repeat("ä", 1000)); len(got) > maxText+3 || !strings.HasSuffix(got, "…") || strings.ContainsRune(got, '\ufffd') {
		t.Errorf("long text became %d bytes", len(got))
	}
}

func FuzzClean(f *testing.F) {
	f.Add("GET https://u:p@h/x?k=v")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		if len(got) > maxText+3 || strings.ContainsAny(got, "\n\r\t\x00") {
			t.Errorf("%q became %q", s, got)
		}
	})
}
