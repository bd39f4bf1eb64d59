package controllers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/yaml"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/manager"
	"github.com/p2pstream/p2pstream/controllers/poll"
	"github.com/p2pstream/p2pstream/controllers/push"
	"github.com/p2pstream/p2pstream/controllers/status/invariants"
)

// image that the operator of the tests was started with.
const image = "localhost/p2pstream:test"

// key of the operators of the tests.
var key = controllers.Key("a key of the tests, 32 bytes or more")

// patience is how long a test waits for what must happen.
const patience = time.Minute

// world is a namespace of the suite's API server, with what an API server alone does not do: pods that come
// into being, trackers that answer.
type world struct {
	t  *testing.T
	ns string
	client.Client
	nodes *nodes
	asker *poll.Client
	// also are namespaces that the operator of this world watches too, and friends their worlds, whose trackers it asks.
	also    []string
	friends []*world

	mu       sync.Mutex
	trackers map[string]string // address of the tracker, by pod IP
}

// newWorld makes a namespace. Whatever a test does there, the status of its streams must be right at the end.
func newWorld(t *testing.T, labels ...string) *world {
	t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "t-", Labels: map[string]string{}}}
	for i := 0; i+1 < len(labels); i += 2 {
		ns.Labels[labels[i]] = labels[i+1]
	}
	if err := suite.admin.Create(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ns: ns.Name, Client: suite.admin, asker: poll.New(), trackers: map[string]string{}}
	w.asker.Address = w.address
	t.Cleanup(w.asker.Close)
	t.Cleanup(w.check)
	w.nodes = startNodes(t, w)
	return w
}

// check holds every stream of the namespace to the invariants of a status.
func (w *world) check() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var list v1.P2PStreamList
	if err := w.List(ctx, &list, client.InNamespace(w.ns)); err != nil {
		w.t.Error(err)
	}
	for i := range list.Items {
		stream := &list.Items[i]
		for _, wrong := range invariants.Status(stream) {
			w.t.Errorf("stream %s: %s", stream.Name, wrong)
		}
		for _, f := range stream.ManagedFields {
			if strings.HasPrefix(f.Manager, "p2pstream") && (f.Subresource != "status" || strings.Contains(string(f.FieldsV1.GetRawBytes()), `"f:spec"`)) {
				w.t.Errorf("the operator wrote more than status of stream %s: %s", stream.Name, f.FieldsV1.GetRawBytes())
			}
		}
	}
}

// operator runs an operator for this namespace until the test, or the function that it returns, ends it.
func (w *world) operator(change ...func(*controllers.Options)) (stop func()) {
	w.t.Helper()
	scheme, err := manager.Scheme()
	if err != nil {
		w.t.Fatal(err)
	}
	twice := true
	o := controllers.Options{Poll: w.asker, Image: image, Namespaces: append([]string{w.ns}, w.also...),
		Key: func() controllers.Key { return key }, Push: w.pusher(), Lookup: noHost}
	for _, c := range change {
		c(&o)
	}
	mgr, err := ctrl.NewManager(suite.operator, ctrl.Options{
		Scheme: scheme, Cache: controllers.CacheOptions(append([]string{w.ns}, w.also...), o.Kinds),
		Metrics: metricsserver.Options{BindAddress: "0"}, HealthProbeBindAddress: "0",
		Controller: config.Controller{SkipNameValidation: &twice},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if o.Client == nil {
		o.Client = mgr.GetClient()
	}
	if o.Live == nil {
		o.Live = mgr.GetAPIReader()
	}
	if o.Events == nil {
		o.Events = mgr.GetEventRecorder("p2pstream")
	}
	if err := controllers.NewReconciler(o).SetupWithManager(mgr, 4); err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					w.t.Errorf("operator: %v", err)
				}
			case <-time.After(patience):
				w.t.Error("the operator does not stop")
			}
		})
	}
	w.t.Cleanup(stop)
	return stop
}

// noHost is a DNS that knows no host.
func noHost(context.Context, string) ([]netip.Addr, error) { return nil, nil }

// stream creates a stream.
func (w *world) stream(name string, change ...func(*v1.P2PStreamSpec)) *v1.P2PStream {
	w.t.Helper()
	s := &v1.P2PStream{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name, Labels: map[string]string{"argocd.argoproj.io/instance": "media", "team": "video"}},
		Spec:       v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/live/master.m3u8"}},
	}
	for _, c := range change {
		c(&s.Spec)
	}
	if err := w.Create(w.t.Context(), s, client.FieldOwner("people")); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// exposed puts everything behind ports of the nodes.
func exposed(s *v1.P2PStreamSpec) {
	s.Tracker = &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureNodePort}}
	s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}
	s.Seeders = &v1.SeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}}
}

// edit changes a spec as people do.
func (w *world) edit(name string, change func(*v1.P2PStreamSpec)) {
	w.t.Helper()
	s := w.get(name)
	before := s.DeepCopy()
	change(&s.Spec)
	if err := w.Patch(w.t.Context(), s, client.MergeFrom(before), client.FieldOwner("people")); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) get(name string) *v1.P2PStream {
	w.t.Helper()
	s := &v1.P2PStream{}
	if err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: name}, s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

// until waits for something to become true of a stream.
func (w *world) until(name, what string, is func(*v1.P2PStream) bool) *v1.P2PStream {
	w.t.Helper()
	var last *v1.P2PStream
	if !w.eventually(func() bool { last = w.get(name); return is(last) }) {
		text, _ := yaml.Marshal(last.Status)
		w.t.Fatalf("stream %s, generation %d, in vain waited to be %s:\n%s", name, last.Generation, what, text)
	}
	return last
}

// eventually asks until it is so, or for too long.
func (w *world) eventually(is func() bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			return false
		case <-tick.C:
		}
	}
	return true
}

// current: what kstatus calls so.
func current(s *v1.P2PStream) bool { return kstatusOf(s) == "Current" }
func failed(s *v1.P2PStream) bool  { return kstatusOf(s) == "Failed" }

func kstatusOf(s *v1.P2PStream) string {
	k, err := invariants.Compute(s)
	if err != nil {
		return err.Error()
	}
	return string(k)
}

// has returns a check for a condition: "Stalled=True/NodePortTaken".
func has(want string) func(*v1.P2PStream) bool {
	return func(s *v1.P2PStream) bool {
		for _, c := range s.Status.Conditions {
			if fmt.Sprintf("%s=%s/%s", c.Type, c.Status, c.Reason) == want && c.ObservedGeneration == s.Generation {
				return true
			}
		}
		return false
	}
}

func message(s *v1.P2PStream, condition string) string {
	for _, c := range s.Status.Conditions {
		if c.Type == condition {
			return c.Message
		}
	}
	return ""
}

// says wants texts in a condition's message.
func (w *world) says(s *v1.P2PStream, condition string, texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if m := message(s, condition); !strings.Contains(m, text) {
			w.t.Errorf("%s does not say %q: %s", condition, text, m)
		}
	}
}

// names of the objects of a kind.
func (w *world) names(list client.ObjectList) []string {
	w.t.Helper()
	if err := w.List(w.t.Context(), list, client.InNamespace(w.ns), client.HasLabels{"p2pstream.dev/stream"}); err != nil {
		w.t.Fatal(err)
	}
	var names []string
	switch l := list.(type) {
	case *corev1.ServiceList:
		for _, o := range l.Items {
			names = append(names, o.Name)
		}
	case *corev1.ConfigMapList:
		for _, o := range l.Items {
			names = append(names, o.Name)
		}
	case *corev1.PodList:
		for _, o := range l.Items {
			names = append(names, o.Name)
		}
	default:
		w.t.Fatalf("no names of %T", list)
	}
	return names
}

// events that people were told about a stream, as type/reason.
func (w *world) events(name string) []string {
	w.t.Helper()
	var list eventsv1.EventList
	if err := w.List(w.t.Context(), &list, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	var found []string
	for _, e := range list.Items {
		if e.Regarding.Kind == v1.Kind && e.Regarding.Name == name {
			found = append(found, e.Type+"/"+e.Reason)
		}
	}
	return found
}

// pusher sends tables to where the trackers of a world answer.
func (w *world) pusher() *push.Client {
	c := push.NewClient()
	c.Address = func(t push.Target) string { return w.address(poll.Tracker{IP: t.IP}) }
	w.t.Cleanup(c.Close)
	return c
}

// address of the tracker in a pod; a closed port when there is none.
func (w *world) address(t poll.Tracker) string {
	for _, one := range append([]*world{w}, w.friends...) {
		if a := one.known(t.IP); a != "" {
			return a
		}
	}
	return net.JoinHostPort("127.0.0.1", "1")
}

func (w *world) known(ip string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trackers[ip]
}

func (w *world) setAddress(ip, address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trackers[ip] = address
}

// counted sums a counter over all its labels, of which one has the given value.
func counted(t *testing.T, reg *prometheus.Registry, name, label string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if l.GetValue() == label {
					sum += m.GetCounter().GetValue()
				}
			}
		}
	}
	return sum
}

// text of anything, as JSON.
func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
