package controllers_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// newImage is that of the newer operator.
const newImage = image + "-2"

// version makes an operator of a version of its own, which upgrades two streams at a time.
func version(image string, whenIdle time.Duration) func(*controllers.Options) {
	return func(o *controllers.Options) {
		o.Image, o.Installation = image, "of "+image
		o.Upgrades = controllers.Upgrades{AtOnce: 2, WhenIdle: whenIdle}
	}
}

// crowd are the streams of a world: whose tracker runs the new image, and the phases of their upgrades.
type crowd struct {
	upgraded         map[string]bool
	running, waiting []string
}

func (w *world) crowd() (c crowd) {
	w.t.Helper()
	// Streams first: what says that it waits, and is upgraded a moment later, is no mistake.
	var streams v1.P2PStreamList
	var trackers appsv1.DeploymentList
	for _, list := range []client.ObjectList{&streams, &trackers} {
		if err := w.List(w.t.Context(), list, client.InNamespace(w.ns)); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, s := range streams.Items {
		switch up := s.Status.Upgrade; {
		case up == nil:
		case up.Phase == v1.UpgradeRunning:
			c.running = append(c.running, s.Name)
		case up.Phase == v1.UpgradeWaiting:
			c.waiting = append(c.waiting, s.Name)
		}
	}
	c.upgraded = map[string]bool{}
	for _, d := range trackers.Items {
		if name, is := strings.CutSuffix(d.Name, "-tracker"); is && d.Spec.Template.Spec.Containers[0].Image == newImage {
			c.upgraded[name] = true
		}
	}
	return c
}

// watchedBy gives the tracker of a stream an audience.
func (w *world) watchedBy(name string, viewers int) *fakeTracker {
	w.t.Helper()
	f := newTracker("watched-" + name)
	w.t.Cleanup(f.Close)
	f.set(func(s *stats.Stats) { s.Viewers, s.Reporting = viewers, viewers })
	var pods corev1.PodList
	if err := w.List(w.t.Context(), &pods, client.InNamespace(w.ns), client.MatchingLabels{plan.LabelStream: name, plan.LabelComponent: plan.ComponentTracker}); err != nil {
		w.t.Fatal(err)
	}
	for _, pod := range pods.Items {
		w.setAddress(pod.Status.PodIP, f.address())
	}
	w.until(name, "watched", func(s *v1.P2PStream) bool {
		return s.Status.Swarm != nil && s.Status.Swarm.Viewers != nil && int(*s.Status.Swarm.Viewers) == viewers
	})
	return f
}

// unready keeps trackers of the new image from becoming ready.
func unready(pod *corev1.Pod) {
	if pod.Spec.Containers[0].Image == newImage {
		pod.Status.Conditions[0].Status = corev1.ConditionFalse
	}
}

// TestUpgradeIsPaced: a newer operator upgrades twenty streams two at a time, the one with an audience last. A restart of the operator
// in the middle does not let more go on; what a spec asks for is not held back.
func TestUpgradeIsPaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.operator(version(image, 0))
	const streams = 20
	for i := range streams - 1 {
		w.stream(fmt.Sprintf("s%02d", i))
	}
	w.stream("hall")
	w.settled(streams)
	w.watchedBy("hall", 50)
	stop()

	w.nodes.become(plan.ComponentTracker, unready)
	stop = w.operator(version(newImage, 0))
	both := w.crowdUntil("two at a time", func(c crowd) bool { return len(c.running) == 2 && len(c.waiting) == streams-2 })
	if len(both.upgraded) > 2 || both.upgraded["hall"] {
		t.Fatalf("upgraded %v while %v are", both.upgraded, both.running)
	}
	if hall := w.get("hall"); !current(hall) || !has("Reconciling=False/UpgradeWaiting")(hall) {
		t.Errorf("%+v", hall.Status.Conditions)
	}
	stop()
	w.operator(version(newImage, 0))
	// Scaled by an autoscaler, a stream keeps the pods that it has. Another setting of its pods replaces them.
	scaled, changed := both.waiting[0], both.waiting[1]
	if scaled == "hall" || changed == "hall" {
		scaled, changed = both.waiting[2], both.waiting[3]
	}
	three := int32(3)
	w.edit(scaled, func(s *v1.P2PStreamSpec) { s.Seeders = &v1.SeedersSpec{Replicas: &three} })
	var set appsv1.StatefulSet
	if !w.eventually(func() bool {
		return w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: scaled + "-seeder"}, &set) == nil && *set.Spec.Replicas == three
	}) || set.Spec.Template.Spec.Containers[0].Image != image {
		t.Errorf("%d seeders with %s", *set.Spec.Replicas, set.Spec.Template.Spec.Containers[0].Image)
	}
	w.until(scaled, "observed", func(s *v1.P2PStream) bool { return s.Status.ObservedGeneration == s.Generation })
	if now := w.crowd(); len(now.upgraded) > 2 || len(now.running) != 2 {
		t.Errorf("after a restart: %+v", now)
	}
	w.edit(changed, func(s *v1.P2PStreamSpec) {
		s.Tracker = &v1.TrackerSpec{AllowedOrigins: []v1.WebOrigin{"https://a.example.com"}}
	})
	w.crowdUntil("changed as its spec says", func(c crowd) bool { return c.upgraded[changed] })

	w.nodes.become(plan.ComponentTracker, nil)
	w.crowdUntil("all upgraded", func(c crowd) bool {
		if c.upgraded["hall"] && len(c.upgraded) < streams {
			t.Fatalf("the stream with an audience is not the last one: %+v", c)
		}
		if len(c.running) > 3 { // the one that was changed is the third
			t.Fatalf("more than two at a time: %+v", c)
		}
		return len(c.upgraded) == streams && len(c.running)+len(c.waiting) == 0
	})
	w.settled(streams)
	for _, reason := range []string{"Normal/UpgradeWaiting", "Normal/Upgrading", "Normal/Upgraded"} {
		if !w.eventually(func() bool { return strings.Contains(fmt.Sprint(w.events("hall")), reason) }) {
			t.Errorf("no event %s: %q", reason, w.events("hall"))
		}
	}
}

// TestUpgradeWhenIdle: a stream with viewers keeps its pods until they have left.
func TestUpgradeWhenIdle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stop := w.operator(version(image, 0))
	w.stream("hall")
	w.stream("idle")
	w.settled(2)
	audience := w.watchedBy("hall", 50)
	stop()
	w.operator(version(newImage, time.Hour))
	w.crowdUntil("upgraded where there are no viewers", func(c crowd) bool { return c.upgraded["idle"] && len(c.running) == 0 })
	hall := w.until("hall", "waiting", has("Reconciling=False/UpgradeWaiting"))
	w.says(hall, v1.ConditionReconciling, "until its viewers have left")
	if w.crowd().upgraded["hall"] {
		t.Fatal("it does not wait for its viewers to leave")
	}
	audience.set(func(s *stats.Stats) { s.Viewers, s.Reporting = 0, 0 })
	w.crowdUntil("upgraded once its viewers have left", func(c crowd) bool { return c.upgraded["hall"] })
}

// settled waits for all streams to be as their specs ask.
func (w *world) settled(streams int) {
	w.t.Helper()
	w.crowdUntil("settled", func(crowd) bool {
		var list v1.P2PStreamList
		if err := w.List(w.t.Context(), &list, client.InNamespace(w.ns)); err != nil {
			w.t.Fatal(err)
		}
		for i := range list.Items {
			if !current(&list.Items[i]) {
				return false
			}
		}
		return len(list.Items) == streams
	})
}

// crowdUntil waits for longer than other tests: there are many streams.
func (w *world) crowdUntil(what string, is func(crowd) bool) (c crowd) {
	w.t.Helper()
	for range 6 {
		if w.eventually(func() bool { c = w.crowd(); return is(c) }) {
			return c
		}
	}
	w.t.Fatalf("in vain waited to be %s: %+v", what, c)
	return c
}
