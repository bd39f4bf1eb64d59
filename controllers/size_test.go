package controllers_test

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
	"github.com/p2pstream/p2pstream/runtime/tracker/stats"
)

// byAudience has seeders that follow the audience of a stream that is reached from outside.
func byAudience(change ...func(*v1.SeederScale)) func(*v1.P2PStreamSpec) {
	return func(s *v1.P2PStreamSpec) {
		exposed(s)
		s.Seeders.Scale = &v1.SeederScale{IdleAfter: &metav1.Duration{Duration: 10 * time.Second}, ViewersPerSeeder: new(int32(10))}
		for _, c := range change {
			c(s.Seeders.Scale)
		}
	}
}

// sized: as many seeders run as are wanted, for that reason.
func sized(wanted int32, reason v1.SeederScaleReason) func(*v1.P2PStream) bool {
	return func(s *v1.P2PStream) bool {
		seeders := s.Status.Seeders
		return seeders != nil && seeders.Scale != nil && seeders.Scale.Wanted == wanted && seeders.Replicas == wanted && seeders.Scale.Reason == reason
	}
}

// TestSeedersFollowTheAudience puts the film of a real tracker to sleep, has a page wake it, and puts it to sleep again.
func TestSeedersFollowTheAudience(t *testing.T) {
	t.Parallel()
	server, source := filmTracker(t, time.Second, "")
	w := newWorld(t)
	w.nodes.answerBy(server.AdminAddr().String())
	stop := w.operator()
	w.stream("film", func(s *v1.P2PStreamSpec) { s.Source.URL = v1.URL(source) }, byAudience())
	w.until("film", "served by a seeder before it is known to be a film", func(s *v1.P2PStream) bool { return s.Status.Seeders != nil && s.Status.Seeders.Replicas == 1 })
	sleeps := func(s *v1.P2PStream) bool {
		return sized(0, v1.ScaleIdle)(s) && current(s) && has("SeedersReady=True/Idle")(s) && has("Ready=True/Serving")(s)
	}
	asleep := func() {
		t.Helper()
		// A tracker that has started knows its viewers after half a minute, and then idleAfter begins.
		for range 2 {
			if w.eventually(func() bool { return sleeps(w.get("film")) }) {
				break
			}
		}
		s := w.until("film", "asleep", sleeps)
		w.says(s, v1.ConditionSeedersReady, "the first viewer starts a seeder")
		if got := w.seedersOf("film"); got != 0 {
			t.Errorf("a film that sleeps has %d seeders", got)
		}
		if names := strings.Join(w.names(&corev1.ServiceList{}), " "); !strings.Contains(names, "film-seeder-0") {
			t.Errorf("the Service of the first seeder is gone: %s", names)
		}
	}
	asleep()
	before := w.seederSet("film").Generation

	// An operator that starts knows nothing of the audience at first.
	stop()
	w.operator()
	w.edit("film", func(s *v1.P2PStreamSpec) {
		s.Telemetry = &v1.TelemetrySpec{Interval: &metav1.Duration{Duration: time.Second}}
	})
	w.until("film", "Current again", func(s *v1.P2PStream) bool { return current(s) && s.Status.ObservedGeneration == s.Generation })
	asleep()
	if after := w.seederSet("film"); after.Generation > before+1 { // the interval is in the template
		t.Errorf("generation %d of the StatefulSet, %d before: it was scaled", after.Generation, before)
	}

	_, page := watch(t, "http://"+server.Addr().String())
	w.until("film", "awake", func(s *v1.P2PStream) bool {
		return sized(1, v1.ScaleAudience)(s) && has("SeedersReady=True/Available")(s)
	})
	if err := page.Close(); err != nil {
		t.Fatal(err)
	}
	asleep()
}

// TestSeedersAreNotRemovedWithoutAReading: a tracker that does not answer has an audience as far as the operator knows.
func TestSeedersAreNotRemovedWithoutAReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newTracker("b")
	t.Cleanup(f.Close)
	live := false
	// One that has just started would not know its viewers.
	f.set(func(s *stats.Stats) { s.Viewers, s.Live, s.StartedAt = 25, &live, time.Now().Add(-time.Hour) })
	w.nodes.answerBy(f.address())
	stop := w.operator()
	w.stream("film", byAudience(func(s *v1.SeederScale) { s.Max = new(int32(8)) }))
	w.until("film", "sized", sized(3, v1.ScaleAudience))

	// All trackers are silent while another operator starts.
	stop()
	f.set(func(s *stats.Stats) { s.Viewers = 0 })
	f.refuse(true)
	w.operator()
	w.until("film", "careful", sized(3, v1.ScaleAudienceUnknown))
	// An unknown audience is not an empty one, however long that lasts; idleAfter is ten seconds.
	begun := time.Now()
	w.until("film", "careful for longer than idleAfter", func(s *v1.P2PStream) bool {
		if !sized(3, v1.ScaleAudienceUnknown)(s) || w.seedersOf("film") != 3 {
			t.Fatalf("after %s: %s", time.Since(begun), text(t, s.Status.Seeders))
		}
		return time.Since(begun) > 12*time.Second
	})
}

// TestSizesWithinBounds: up with the audience to the maximum, and what the owner changes counts at once.
func TestSizesWithinBounds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := newTracker("b")
	t.Cleanup(f.Close)
	live := true
	f.set(func(s *stats.Stats) { s.Live = &live })
	w.nodes.answerBy(f.address())
	w.operator()
	w.stream("live", byAudience())
	w.until("live", "of one seeder without an audience", sized(1, v1.ScaleMinimum))
	f.set(func(s *stats.Stats) { s.Viewers = 1000 })
	w.until("live", "at its maximum", sized(4, v1.ScaleMaximum))
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Seeders.Scale.Max = new(int32(2)) })
	w.until("live", "at its new maximum", sized(2, v1.ScaleMaximum))
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Suspend, s.Seeders.Scale.Max = true, new(int32(6)) })
	w.until("live", "suspended", sized(2, v1.ScaleSuspended))
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Suspend = false })
	w.until("live", "at its last maximum", sized(6, v1.ScaleMaximum))
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Seeders.Scale, s.Seeders.Replicas = nil, new(int32(1)) })
	w.until("live", "counted by people", func(s *v1.P2PStream) bool {
		return current(s) && s.Status.Seeders.Scale == nil && s.Status.Seeders.Replicas == 1 && w.seedersOf("live") == 1
	})
}

// TestAutoscalersAndTheAudience: the scale subresource, which HPA and KEDA use, counts the seeders of a stream that leaves it to them,
// and is refused where the operator counts.
func TestAutoscalersAndTheAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("theirs", func(s *v1.P2PStreamSpec) { s.Seeders = &v1.SeedersSpec{Replicas: new(int32(1))} })
	w.stream("ours", byAudience())
	w.until("theirs", "Current", current)
	scale := func(name string, replicas int32) error {
		s := w.get(name)
		return w.SubResource("scale").Update(t.Context(), s, client.WithSubResourceBody(&autoscalingv1.Scale{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: name}, Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}))
	}
	if err := scale("theirs", 2); err != nil {
		t.Fatal(err)
	}
	w.until("theirs", "scaled", func(s *v1.P2PStream) bool {
		return current(s) && *s.Spec.Seeders.Replicas == 2 && s.Status.Seeders.Replicas == 2
	})
	if err := scale("ours", 2); err == nil || !strings.Contains(err.Error(), "exclude each other") {
		t.Errorf("an autoscaler counts beside the operator: %v", err)
	}
	got := &autoscalingv1.Scale{}
	if err := w.SubResource("scale").Get(t.Context(), w.get("ours"), got); !apierrors.IsInternalError(err) && err == nil {
		t.Errorf("an autoscaler is told of a number: %+v", got)
	}
	if s := w.get("ours"); s.Spec.Seeders.Replicas != nil {
		t.Errorf("%+v", s.Spec.Seeders)
	}
}

func (w *world) seederSet(stream string) *appsv1.StatefulSet {
	w.t.Helper()
	set := &appsv1.StatefulSet{}
	if err := w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: plan.SeederName(stream)}, set); err != nil {
		w.t.Fatal(err)
	}
	return set
}

// seedersOf is how many seeders the StatefulSet of a stream is to have.
func (w *world) seedersOf(stream string) int32 { return *w.seederSet(stream).Spec.Replicas }
