package controllers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// soon lets problems that may heal stall after a moment.
func stallEarly(o *controllers.Options) { o.StallAfter = 500 * time.Millisecond }

// waits makes a pod one that its kubelet cannot start.
func waits(reason, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodPending
		p.Status.Conditions = nil
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "x", Image: image,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}}}
	}
}

func TestMissingSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator(stallEarly)
	w.nodes.become(plan.ComponentTracker, func(p *corev1.Pod) {
		waits("ContainerCreating", "")(p)
		if err := w.nodes.event(t.Context(), "FailedMount", `MountVolume.SetUp failed for volume "tls" : secret "town-hall-tls" not found`, "Pod", p.Name, p.UID); err != nil {
			t.Error(err)
		}
	})
	w.stream("live", exposed, func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.TLSSecretName = "town-hall-tls" })
	s := w.until("live", "stalled", has("Stalled=True/SecretNotFound"))
	w.says(s, v1.ConditionStalled, `"town-hall-tls"`, "spec.tracker.exposure.tlsSecretName", w.ns)
	if !failed(s) || !has("Ready=False/SecretNotFound")(s) {
		t.Errorf("kstatus %s, %+v", kstatusOf(s), s.Status.Conditions)
	}
	w.nodes.become(plan.ComponentTracker, nil) // the Secret was created
	w.until("live", "Current", current)
	if !w.eventually(func() bool {
		e := w.events("live")
		return slices.Contains(e, "Warning/SecretNotFound") && slices.Contains(e, "Normal/Resumed")
	}) {
		t.Errorf("events: %q", w.events("live"))
	}
}

// TestTokenSecretComesBack deletes the one Secret that the operator creates and may not read.
func TestTokenSecretComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live")
	w.until("live", "Current", current)
	token := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: plan.TokenSecretName("live")}}
	if err := w.Delete(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	w.nodes.become(plan.ComponentSeeder, func(p *corev1.Pod) {
		waits("ContainerCreating", "")(p)
		if err := w.nodes.event(t.Context(), "FailedMount", `MountVolume.SetUp failed for volume "token" : secret "live-seeder-token" not found`, "Pod", p.Name, p.UID); err != nil {
			t.Error(err)
		}
	})
	if !w.eventually(func() bool { return w.Get(t.Context(), client.ObjectKeyFromObject(token), token) == nil }) {
		t.Fatal("it does not come back")
	}
	if s := w.get("live"); has("Stalled=True/SecretNotFound")(s) {
		t.Error("stalled for what the operator fixes itself")
	}
	w.nodes.become(plan.ComponentSeeder, nil)
	w.until("live", "Current", current)
}

// TestNodePortTaken has two streams ask for one port. The second one says so, and the first never notices.
func TestNodePortTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	// The cluster gives out ports from the upper part of its range first, so this one is free.
	port := v1.NodePort(30042)
	with := func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.NodePort = &port }
	w.stream("first", exposed, with)
	w.until("first", "Current", current)
	before := w.get("first").ResourceVersion

	w.stream("second", exposed, with)
	s := w.until("second", "stalled", has("Stalled=True/NodePortTaken"))
	w.says(s, v1.ConditionStalled, "spec.tracker.exposure.nodePort 30042", "already used", "choose another")
	if !failed(s) || has("Ready=True/Serving")(s) {
		t.Errorf("kstatus %s", kstatusOf(s))
	}
	if first := w.get("first"); !current(first) || first.ResourceVersion != before {
		t.Errorf("the first stream: %s, version %s, before %s", kstatusOf(first), first.ResourceVersion, before)
	}
	w.edit("first", func(s *v1.P2PStreamSpec) {
		s.Tracker.Exposure.NodePort = nil
		s.Tracker.Exposure.Type = v1.ExposureClusterIP
	})
	w.until("second", "Current", current)
	w.until("first", "Current", current)
}

// TestRunningStreamKeepsReady gives a stream that serves a spec that cannot be carried out.
func TestRunningStreamKeepsReady(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live", exposed)
	w.until("live", "Current", current)
	outside := v1.NodePort(1234)
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.NodePort = &outside })
	s := w.until("live", "stalled", has("Stalled=True/InvalidSpec"))
	w.says(s, v1.ConditionStalled, "spec.tracker.exposure.nodePort 1234", "range")
	if !has("Ready=True/Serving")(s) || !failed(s) {
		t.Errorf("kstatus %s, %+v", kstatusOf(s), s.Status.Conditions)
	}
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Tracker.Exposure.NodePort = nil })
	w.until("live", "Current", current)
	w.asPlanned("live")
}

func TestImagePull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator(stallEarly)
	w.stream("live")
	w.until("live", "Current", current)
	w.nodes.become(plan.ComponentSeeder, waits("ImagePullBackOff", `Back-off pulling image "localhost/p2pstream:test"`))
	s := w.until("live", "stalled", has("Stalled=True/ImagePullFailed"))
	w.says(s, v1.ConditionStalled, "live-seeder-0", image, "--image")
	if !has("TrackerReady=True/ClusterOnly")(s) {
		t.Errorf("%+v", s.Status.Conditions)
	}
	w.nodes.become(plan.ComponentSeeder, nil)
	w.until("live", "Current", current)
}

// TestGrace: a rollout that heals within minutes never stalls, because tools that wait for one end it then. One that does not heal
// stalls, also when the operator is another one by then.
func TestGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.nodes.become(plan.ComponentSeeder, waits("ErrImagePull", "unauthorized"))
	w.stream("live")
	c := &clock{now: time.Now().Truncate(time.Second)}
	h := w.byHand("live", c)
	step := func(d time.Duration) *v1.P2PStream {
		c.turn(d)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w.get("live")
	}
	if !w.eventually(func() bool { return has("SeedersReady=False/ImagePullFailed")(step(time.Second)) }) {
		t.Fatalf("%+v", w.get("live").Status.Conditions)
	}
	if s := step(90 * time.Second); kstatusOf(s) != "InProgress" || !has("Reconciling=True/ImagePullFailed")(s) {
		t.Fatalf("kstatus %s, %+v", kstatusOf(s), s.Status.Conditions)
	}
	if s := step(time.Minute); !failed(s) || !has("Stalled=True/ImagePullFailed")(s) {
		t.Fatalf("kstatus %s, %+v", kstatusOf(s), s.Status.Conditions)
	}
	h.revive()
	if s := step(time.Second); !failed(s) {
		t.Errorf("an operator that has just started took it back: %+v", s.Status.Conditions)
	}
	w.nodes.become(plan.ComponentSeeder, nil)
	h.settle(t)
}

func TestCrashLooping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator(stallEarly)
	w.nodes.become(plan.ComponentSTUN, func(p *corev1.Pod) {
		waits("CrashLoopBackOff", "back-off 5m0s")(p)
		p.Status.Phase = corev1.PodRunning
		p.Status.ContainerStatuses[0].RestartCount = 7
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Message: "p2pstream: listening on :3478: address in use\n"}
	})
	w.stream("live")
	s := w.until("live", "stalled", has("Stalled=True/CrashLooping"))
	w.says(s, v1.ConditionStalled, "7 times", "address in use", "kubectl logs --previous")
	w.nodes.become(plan.ComponentSTUN, nil)
	w.until("live", "Current", current)
}

// TestUnschedulable waits and does not stall: nodes are added and removed.
func TestUnschedulable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.nodes.become(plan.ComponentSeeder, func(p *corev1.Pod) {
		p.Status = corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
			Reason: corev1.PodReasonUnschedulable, Message: "0/2 nodes are available: 2 Insufficient cpu."}}}
	})
	w.stream("live")
	s := w.until("live", "waiting", has("Reconciling=True/Unschedulable"))
	w.says(s, v1.ConditionReconciling, "Insufficient cpu")
	if kstatusOf(s) != "InProgress" || !has("SeedersReady=False/Unschedulable")(s) {
		t.Errorf("kstatus %s, %+v", kstatusOf(s), s.Status.Conditions)
	}
	w.nodes.become(plan.ComponentSeeder, nil)
	w.until("live", "Current", current)
}

func TestPodsForbidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	const text = `pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile`
	for _, component := range []string{plan.ComponentTracker, plan.ComponentSTUN, plan.ComponentSeeder} {
		w.nodes.forbid(component, text)
	}
	w.stream("live")
	s := w.until("live", "stalled", func(s *v1.P2PStream) bool {
		return has("Stalled=True/PodsForbidden")(s) && has("SeedersReady=False/PodsForbidden")(s) && has("TrackerReady=False/PodsForbidden")(s)
	})
	w.says(s, v1.ConditionStalled, "Deployment live-tracker", "violates PodSecurity", "pod-security.kubernetes.io/enforce")
	w.says(s, v1.ConditionSeedersReady, "StatefulSet live-seeder")
	for _, component := range []string{plan.ComponentTracker, plan.ComponentSTUN, plan.ComponentSeeder} {
		w.nodes.forbid(component, "")
	}
	w.until("live", "Current", current)
}

// TestRestrictedNamespace has the API server's own admission judge the pods: they are made as the strictest level
// asks.
func TestRestrictedNamespace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "pod-security.kubernetes.io/enforce", "restricted")
	w.operator()
	w.stream("live", exposed)
	w.until("live", "Current", current)
}

// TestStranger finds an object with a child's name that the stream does not own, and does not change it.
func TestStranger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "live-tracker"}, Data: map[string]string{"mine": "yes"}}
	if err := w.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	w.operator()
	w.stream("live")
	s := w.until("live", "stalled", has("Stalled=True/ApplyFailed"))
	w.says(s, v1.ConditionStalled, "ConfigMap live-tracker", "does not belong", "rename")
	var found corev1.ConfigMap
	if err := w.Get(t.Context(), client.ObjectKeyFromObject(theirs), &found); err != nil || found.ResourceVersion != theirs.ResourceVersion {
		t.Errorf("it was touched: %v", err)
	}
	var tracker appsv1.Deployment
	if err := w.Get(t.Context(), client.ObjectKeyFromObject(theirs), &tracker); client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("a tracker was made without its configuration: %v", err)
	}
	if err := w.Delete(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	w.until("live", "Current", current)
	w.asPlanned("live")
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("never", func(s *v1.P2PStreamSpec) { s.Suspend = true })
	w.stream("live", exposed)
	w.until("live", "Current", current)
	w.until("never", "suspended", has("Ready=False/Suspended"))
	if c := w.children("never"); len(c) > 0 {
		t.Errorf("%d children of a stream that was never let go", len(c))
	}

	three := int32(3)
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Suspend, s.Seeders.Replicas = true, &three })
	w.until("live", "suspended", has("Reconciling=False/Suspended"))
	if s := w.until("live", "served all the same", has("Ready=True/Suspended")); !current(s) {
		t.Errorf("kstatus %s", kstatusOf(s))
	}
	// What is observed goes on.
	w.nodes.become(plan.ComponentSeeder, waits("ImagePullBackOff", "no"))
	w.until("live", "observed", has("SeedersReady=False/ImagePullFailed"))
	w.nodes.become(plan.ComponentSeeder, nil)
	w.until("live", "observed", has("Ready=True/Suspended"))
	if names := w.names(&corev1.ServiceList{}); slices.Contains(names, "live-seeder-2") {
		t.Errorf("Services were made: %q", names)
	}
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Suspend = false })
	w.until("live", "Current with three seeders", func(s *v1.P2PStream) bool { return current(s) && s.Status.Seeders.Replicas == 3 })
	w.asPlanned("live")
}

// TestDrift has people change and delete children.
func TestDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live", exposed)
	s := w.until("live", "Current", current)
	announce := s.Status.Endpoints.Announce
	at := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: w.ns, Name: name} }
	for name, harm := range map[string]func() error{
		"image changed": func() error {
			return w.Patch(t.Context(), &appsv1.Deployment{ObjectMeta: at("live-tracker")},
				client.RawPatch("application/json-patch+json", []byte(`[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"other"}]`)))
		},
		"configuration changed": func() error {
			return w.Patch(t.Context(), &corev1.ConfigMap{ObjectMeta: at("live-seeder")},
				client.RawPatch("application/merge-patch+json", []byte(`{"data":{"seeder.json":"{}"}}`)))
		},
		"our label taken off": func() error {
			return w.Patch(t.Context(), &appsv1.Deployment{ObjectMeta: at("live-stun")},
				client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"p2pstream.dev/stream":null}}}`)))
		},
		"another label changed": func() error {
			return w.Patch(t.Context(), &corev1.Service{ObjectMeta: at("live-tracker-internal")},
				client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"app.kubernetes.io/component":"x"}}}`)))
		},
		"Service deleted":     func() error { return w.Delete(t.Context(), &corev1.Service{ObjectMeta: at("live-tracker")}) },
		"ConfigMap deleted":   func() error { return w.Delete(t.Context(), &corev1.ConfigMap{ObjectMeta: at("live-stun")}) },
		"StatefulSet deleted": func() error { return w.Delete(t.Context(), &appsv1.StatefulSet{ObjectMeta: at("live-seeder")}) },
	} {
		if err := harm(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if !w.eventually(func() bool {
		children := w.children("live")
		for _, o := range children {
			if strings.Contains(text(t, o.Object), `"image":"other"`) || o.GetLabels()[plan.LabelComponent] == "x" {
				return false
			}
		}
		return len(children) == 11 && current(w.get("live"))
	}) {
		t.Errorf("it stays broken: %d children, %s", len(w.children("live")), kstatusOf(w.get("live")))
	}
	w.asPlanned("live")
	if got := w.get("live").Status.Endpoints.Announce; got != announce {
		t.Errorf("the address that people were given changed from %s to %s", announce, got)
	}
}

// TestNamespaceLeaves wants no problems reported about children that cannot be created in a namespace that is deleted.
func TestNamespaceLeaves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	w.operator(func(o *controllers.Options) { o.Metrics = controllers.NewMetrics(reg) })
	w.stream("live")
	w.until("live", "Current", current)
	// There is no namespace controller here, so this is as far as it gets.
	if err := w.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.ns}}); err != nil {
		t.Fatal(err)
	}
	before := w.get("live").Status
	if err := w.Delete(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "live-tracker"}}); err != nil {
		t.Fatal(err)
	}
	if !w.eventually(func() bool { return counted(t, reg, "p2pstream_operator_child_writes_total", "error") > 0 }) {
		t.Fatal("the operator did not try")
	}
	if s := w.get("live"); len(s.Status.Conditions) != len(before.Conditions) || has("Stalled=True/ApplyFailed")(s) {
		t.Errorf("%+v", s.Status.Conditions)
	}
	if e := w.events("live"); slices.ContainsFunc(e, func(s string) bool { return strings.HasPrefix(s, "Warning/") && s != "Warning/ClusterOnly" }) {
		t.Errorf("events: %q", e)
	}
}

// TestRememberedPortIsGone deletes a Service and gives its port to another before the operator notices. No spec
// asks for that port, so the operator takes another and reports no problem.
func TestRememberedPortIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live", exposed)
	c := &clock{now: time.Now().Truncate(time.Second)}
	h := w.byHand("live", c)
	h.settle(t)
	var service corev1.Service
	at := client.ObjectKey{Namespace: w.ns, Name: plan.SeederServiceName("live", 0)}
	if err := w.Get(t.Context(), at, &service); err != nil {
		t.Fatal(err)
	}
	port := service.Spec.Ports[0].NodePort
	if err := w.Delete(t.Context(), &service); err != nil {
		t.Fatal(err)
	}
	other := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "other"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeNodePort,
		Ports: []corev1.ServicePort{{Port: 53, Protocol: corev1.ProtocolUDP, NodePort: port}}}}
	if err := w.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		c.turn(time.Second)
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := w.get("live"); has("Stalled=True/NodePortTaken")(s) {
			t.Fatal("stalled for a port that no spec asks for")
		}
	}
	h.settle(t)
	w.portsAgree("live", 1)
	if err := w.Get(t.Context(), at, &service); err != nil || service.Spec.Ports[0].NodePort == port {
		t.Errorf("%v, port %d", err, service.Spec.Ports[0].NodePort)
	}
}

// TestAnotherManager has another field manager change an object within milliseconds whenever the operator changes it back.
func TestAnotherManager(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reg := prometheus.NewRegistry()
	w.operator(func(o *controllers.Options) { o.Metrics = controllers.NewMetrics(reg) })
	w.stream("live")
	w.until("live", "Current", current)
	before := counted(t, reg, "p2pstream_operator_child_writes_total", "Deployment")
	at := metav1.ObjectMeta{Namespace: w.ns, Name: "live-tracker"}
	scale := func() {
		patch := client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"minReadySeconds":9}}`))
		if err := w.Patch(t.Context(), &appsv1.Deployment{ObjectMeta: at}, patch, client.FieldOwner("policy-engine")); err != nil {
			t.Error(err)
		}
	}
	begun := time.Now()
	s := w.until("live", "stalled", func(s *v1.P2PStream) bool {
		var tracker appsv1.Deployment
		if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: at.Name}, &tracker); err != nil {
			t.Fatal(err)
		}
		if tracker.Spec.MinReadySeconds != 9 {
			scale()
		}
		return has("Stalled=True/Contested")(s)
	})
	w.says(s, v1.ConditionStalled, `"policy-engine"`, "spec.minReadySeconds", "Deployment live-tracker")
	if !has("Ready=True/Serving")(s) {
		t.Errorf("%+v", s.Status.Conditions)
	}
	if n := counted(t, reg, "p2pstream_operator_child_writes_total", "Deployment") - before; n > 5+time.Since(begun).Seconds() {
		t.Errorf("%g writes in %s", n, time.Since(begun))
	}
	if !w.eventually(func() bool { return slices.Contains(w.events("live"), "Warning/Contested") }) {
		t.Errorf("events: %q", w.events("live"))
	}
	// People who want it at once need not wait for the back-off, nor for a calm time.
	asked := w.get("live")
	asked.Annotations = map[string]string{v1.AnnotationReconcile: "now"}
	if err := w.Update(t.Context(), asked, client.FieldOwner("people")); err != nil {
		t.Fatal(err)
	}
	w.until("live", "Current, as asked", func(s *v1.P2PStream) bool { return current(s) && s.Status.LastHandledReconcileAt == "now" })
	w.asPlanned("live")
}

// TestOrphans deletes a stream without its children and creates it again, as a backup that is restored does.
func TestOrphans(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.operator()
	w.stream("live", exposed)
	s := w.until("live", "Current", current)
	stop()
	if err := w.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, o := range w.children("live") { // there is no garbage collector here
		o.SetOwnerReferences(nil)
		if err := w.Update(t.Context(), &o, client.FieldOwner("velero")); err != nil {
			t.Fatal(err)
		}
	}
	w.stream("live", exposed)
	w.operator()
	w.until("live", "Current", current)
	w.asPlanned("live")
	w.oursOnly("live")
}
