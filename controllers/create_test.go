package controllers_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/apply"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live", exposed)
	if fresh := w.get("live"); kstatusOf(fresh) != "InProgress" {
		t.Errorf("before any operator: %s", kstatusOf(fresh))
	}
	w.operator()
	s := w.until("live", "Current", current)
	if !has("Ready=True/Serving")(s) || !has("Stalled=False/Progressing")(s) || !has("STUNReady=True/Available")(s) || !has("SeedersReady=True/Available")(s) {
		t.Errorf("%+v", s.Status.Conditions)
	}
	s = w.until("live", "known to have no viewers", has("TelemetryFresh=True/NoViewers"))
	if !has("Peerable=True/Shareable")(s) || s.Status.Swarm == nil || *s.Status.Swarm.Viewers != 0 {
		t.Errorf("%+v", s.Status)
	}
	services := w.names(&corev1.ServiceList{})
	slices.Sort(services)
	if diff := cmp.Diff([]string{"live-seeder", "live-seeder-0", "live-stun", "live-tracker", "live-tracker-internal"}, services); diff != "" {
		t.Error(diff)
	}
	w.asPlanned("live")
	w.oursOnly("live")
	w.portsAgree("live", 1)

	var token corev1.Secret
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: plan.TokenSecretName("live")}, &token); err != nil {
		t.Fatal(err)
	}
	if len(token.Data[plan.TokenKey]) < 40 || strings.ContainsAny(string(token.Data[plan.TokenKey]), "\n ") || !metav1.IsControlledBy(&token, s) {
		t.Errorf("token of %d bytes, owners %+v", len(token.Data[plan.TokenKey]), token.OwnerReferences)
	}
	if s.Status.Seeders == nil || s.Status.Seeders.Replicas != 1 || s.Status.Seeders.Selector == "" {
		t.Errorf("scale: %+v", s.Status.Seeders)
	}
	if !w.eventually(func() bool { return slices.Contains(w.events("live"), "Normal/Serving") }) {
		t.Errorf("events: %q", w.events("live"))
	}
}

// children of a stream, as they are.
func (w *world) children(name string) []unstructured.Unstructured {
	w.t.Helper()
	var all []unstructured.Unstructured
	for _, kind := range plan.Kinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := w.List(w.t.Context(), list, client.InNamespace(w.ns), client.MatchingLabels{plan.LabelStream: name}); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, list.Items...)
	}
	return all
}

// facts as an operator would gather them.
func (w *world) facts(s *v1.P2PStream) plan.Facts {
	w.t.Helper()
	f := plan.Facts{Image: image, Observed: exposure.Observed{}, Endpoints: s.Status.Endpoints, STUNReady: true, SeederPods: plan.SeederReplicas(s)}
	var services corev1.ServiceList
	if err := w.List(w.t.Context(), &services, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	for i := range services.Items {
		f.Observed.Note(services.Items[i].Name, &services.Items[i])
	}
	var pods corev1.PodList
	if err := w.List(w.t.Context(), &pods, client.InNamespace(w.ns), client.MatchingLabels{plan.LabelStream: s.Name}); err != nil {
		w.t.Fatal(err)
	}
	for i, address := range []string{"192.0.2.1", "192.0.2.2"} {
		n := plan.Node{Name: []string{"n1", "n2"}[i], Addresses: []string{address}}
		for _, p := range pods.Items {
			if p.Spec.NodeName == n.Name {
				n.STUN = n.STUN || p.Labels[plan.LabelComponent] == plan.ComponentSTUN
				n.Tracker = n.Tracker || p.Labels[plan.LabelComponent] == plan.ComponentTracker
			}
		}
		f.Nodes = append(f.Nodes, n)
	}
	return f
}

// asPlanned wants the children to be those of the plan and no others, and a dry run of applying the plan again
// to change nothing.
func (w *world) asPlanned(name string) {
	w.t.Helper()
	s := w.get(name)
	p, err := plan.Make(s, w.facts(s))
	if err != nil {
		w.t.Fatal(err)
	}
	live := map[plan.Ref]unstructured.Unstructured{}
	for _, o := range w.children(name) {
		live[plan.Ref{Kind: o.GetKind(), Name: o.GetName()}] = o
	}
	for _, o := range p.Objects {
		found, exists := live[o.Ref]
		delete(live, o.Ref)
		if !exists {
			w.t.Errorf("%s %s is planned and not there", o.Kind, o.Name)
			continue
		}
		if err := w.Apply(w.t.Context(), o.Apply, client.DryRunAll, client.FieldOwner(apply.FieldOwner), client.ForceOwnership); err != nil {
			w.t.Errorf("applying %s %s again: %v", o.Kind, o.Name, err)
			continue
		}
		raw, err := json.Marshal(o.Apply)
		if err != nil {
			w.t.Fatal(err)
		}
		var answer metav1.PartialObjectMetadata
		if err := json.Unmarshal(raw, &answer); err != nil {
			w.t.Fatal(err)
		}
		if answer.ResourceVersion != found.GetResourceVersion() {
			w.t.Errorf("applying %s %s again would change it: %s", o.Kind, o.Name, raw)
		}
	}
	for ref := range live {
		w.t.Errorf("%s %s is there and not planned", ref.Kind, ref.Name)
	}
	if diff := cmp.Diff(&p.Endpoints, s.Status.Endpoints); diff != "" {
		w.t.Errorf("endpoints: %s", diff)
	}
}

// oursOnly wants children to have the operator's labels only: tools that put labels on the stream, such as Argo CD, would
// otherwise claim the children.
func (w *world) oursOnly(name string) {
	w.t.Helper()
	s := w.get(name)
	for _, o := range w.children(name) {
		labels := o.GetLabels()
		if diff := cmp.Diff(plan.Labels(name, labels[plan.LabelComponent]), labels); diff != "" {
			w.t.Errorf("labels of %s %s: %s", o.GetKind(), o.GetName(), diff)
		}
		if !metav1.IsControlledBy(&o, s) {
			w.t.Errorf("%s %s is not controlled by the stream", o.GetKind(), o.GetName())
		}
	}
}

// portsAgree wants each seeder to listen on the very port by which it is reached.
func (w *world) portsAgree(name string, seeders int) {
	w.t.Helper()
	var ports []int32
	if !w.eventually(func() bool { // seeders that drain keep theirs until they are gone
		var config corev1.ConfigMap
		if err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: plan.SeederName(name)}, &config); err != nil {
			w.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(config.Data["ice-ports.json"]), &ports); err != nil {
			w.t.Fatal(err)
		}
		return len(ports) == seeders
	}) {
		w.t.Fatalf("%d seeders, and they know their ports: %v", seeders, ports)
	}
	for i, want := range ports {
		var service corev1.Service
		if err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: plan.SeederServiceName(name, int32(i))}, &service); err != nil {
			w.t.Fatal(err)
		}
		p := service.Spec.Ports[0]
		if p.NodePort != want || p.Port != want || p.TargetPort.IntVal != want {
			w.t.Errorf("seeder %d listens on %d, its Service says %+v", i, want, p)
		}
	}
}

func TestSpecChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live", exposed)
	before := w.until("live", "Current", current)

	w.edit("live", func(s *v1.P2PStreamSpec) { s.Source.SeederURL = "http://origin.media.svc/master.m3u8" })
	w.until("live", "seen", func(s *v1.P2PStream) bool { return s.Status.ObservedGeneration == s.Generation })
	s := w.until("live", "Current again", current)
	if diff := cmp.Diff(before.Status.Endpoints, s.Status.Endpoints); diff != "" {
		t.Errorf("addresses that people were given changed: %s", diff)
	}
	w.asPlanned("live")

	// From outside to inside, and back.
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Tracker, s.STUN.Exposure, s.Seeders.Exposure = nil, nil, nil })
	w.until("live", "inside", func(s *v1.P2PStream) bool {
		return current(s) && s.Status.Endpoints != nil && strings.Contains(s.Status.Endpoints.Announce, ".svc")
	})
	w.asPlanned("live")
	w.edit("live", exposed)
	w.until("live", "outside", func(s *v1.P2PStream) bool {
		return current(s) && s.Status.Endpoints != nil && strings.Contains(s.Status.Endpoints.Announce, "192.0.2.")
	})
	w.asPlanned("live")
	w.portsAgree("live", 1)
}

func TestScaling(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live", exposed)
	w.until("live", "Current", current)
	scale := func(n int32) {
		t.Helper()
		w.edit("live", func(s *v1.P2PStreamSpec) { s.Seeders.Replicas = &n })
		w.until("live", "scaled", func(s *v1.P2PStream) bool { return current(s) && s.Status.Seeders.Replicas == n })
		if n > 0 {
			w.portsAgree("live", int(n))
		}
	}
	first := w.seederTemplate()
	scale(3)
	if w.seederTemplate() != first {
		t.Error("scaling changed the template, so seeders that run were replaced")
	}
	w.asPlanned("live")
	scale(1)
	w.gone(&corev1.Service{}, "live-seeder-1", "live-seeder-2")
	w.asPlanned("live")
	scale(0)
	w.gone(&appsv1.StatefulSet{}, "live-seeder")
	w.gone(&corev1.Service{}, "live-seeder", "live-seeder-0")
	if s := w.get("live"); !has("SeedersReady=True/Disabled")(s) || !has("Ready=True/Serving")(s) {
		t.Errorf("%+v", s.Status.Conditions)
	}
	scale(2)
	w.asPlanned("live")
}

func (w *world) seederTemplate() string {
	w.t.Helper()
	var set appsv1.StatefulSet
	if err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: "live-seeder"}, &set); err != nil {
		w.t.Fatal(err)
	}
	return set.Spec.Template.String()
}

// gone waits for objects to be no more.
func (w *world) gone(o client.Object, names ...string) {
	w.t.Helper()
	for _, name := range names {
		if !w.eventually(func() bool {
			err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, o)
			return err != nil && client.IgnoreNotFound(err) == nil
		}) {
			w.t.Errorf("%T %s is still there", o, name)
		}
	}
}

func TestSTUNDisabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live", exposed)
	w.until("live", "Current", current)
	off := false
	w.edit("live", func(s *v1.P2PStreamSpec) { s.STUN = &v1.STUNSpec{Enabled: &off} })
	w.gone(&appsv1.Deployment{}, "live-stun")
	w.gone(&corev1.Service{}, "live-stun")
	w.gone(&corev1.ConfigMap{}, "live-stun")
	s := w.until("live", "Current without STUN", func(s *v1.P2PStream) bool { return current(s) && has("STUNReady=True/Disabled")(s) })
	if len(s.Status.Endpoints.STUN) != 0 {
		t.Errorf("STUN is handed out: %q", s.Status.Endpoints.STUN)
	}
	w.asPlanned("live")
}
