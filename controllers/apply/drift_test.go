package apply

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

// desk is one stream, whose children are in the memory of a client, and the clock of the test.
type desk struct {
	t *testing.T
	client.Client
	stream *v1.P2PStream
	memory Memory
	now    time.Time
	writes int
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Client: fake.NewClientBuilder().WithScheme(scheme.Scheme).WithReturnManagedFields().Build(),
		stream: &v1.P2PStream{ObjectMeta: metav1.ObjectMeta{Namespace: "media", Name: "live", UID: "u1"},
			Spec: v1.P2PStreamSpec{Source: v1.SourceSpec{URL: "https://origin.example.com/master.m3u8"}}}}
}

// pass applies the plan once, after the given time.
func (d *desk) pass(after time.Duration) Result {
	d.t.Helper()
	d.now = d.now.Add(after)
	planned, err := plan.Make(d.stream, plan.Facts{Image: "img:1"})
	if err != nil {
		d.t.Fatal(err)
	}
	children := map[plan.Ref]client.Object{}
	for _, object := range planned.Objects {
		live, err := scheme.Scheme.New(gvk(object.Kind))
		if err != nil {
			d.t.Fatal(err)
		}
		found := live.(client.Object)
		if d.Get(d.t.Context(), client.ObjectKey{Namespace: "media", Name: object.Name}, found) == nil && Owned(found, d.stream) {
			children[object.Ref] = found
		}
	}
	a := Applier{Client: d.Client, Live: d.Client, Count: func(_, _, _ string) { d.writes++ }}
	result := a.Apply(d.t.Context(), Input{Owner: d.stream, Plan: planned, Children: children, Now: d.now}, &d.memory)
	if result.Err != nil {
		d.t.Fatal(result.Err)
	}
	return result
}

// tracker is the Deployment of the tracker.
func (d *desk) tracker() *appsv1.Deployment {
	d.t.Helper()
	found := &appsv1.Deployment{}
	if err := d.Get(d.t.Context(), client.ObjectKey{Namespace: "media", Name: "live-tracker"}, found); err != nil {
		d.t.Fatal(err)
	}
	return found
}

// other sets the image of the tracker as another field manager.
func (d *desk) other(ctx context.Context) {
	d.t.Helper()
	tracker := d.tracker()
	tracker.Spec.Template.Spec.Containers[0].Image = "other:1"
	if err := d.Update(ctx, tracker, client.FieldOwner("image-policy")); err != nil {
		d.t.Fatal(err)
	}
}

// TestContested has another field manager change an object within 10 ms whenever it was changed back, for five minutes.
func TestContested(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(0)
	d.pass(time.Second)
	d.writes = 0
	var result Result
	contested := 0
	for range 300 {
		if d.tracker().Spec.Template.Spec.Containers[0].Image == "img:1" {
			d.other(t.Context())
		}
		result = d.pass(time.Second)
		if len(result.Problems) > 0 {
			contested++
		} else if contested > 0 {
			t.Fatal("the problem is withdrawn while it lasts")
		}
	}
	if d.writes < 5 || d.writes > 15 {
		t.Errorf("%d writes in five minutes", d.writes)
	}
	if len(result.Problems) != 1 || contested < 280 {
		t.Fatalf("%+v, reported in %d passes", result.Problems, contested)
	}
	problem := result.Problems[0]
	if problem.Reason != v1.ReasonContested || !problem.Stalls || problem.Component != plan.ComponentTracker {
		t.Errorf("%+v", problem)
	}
	for _, text := range []string{`"image-policy"`, "Deployment live-tracker", `spec.template.spec.containers[name="tracker"].image`} {
		if !strings.Contains(problem.Message, text) {
			t.Errorf("does not say %q: %s", text, problem.Message)
		}
	}

	// The other one stops: the object is changed back, and later all is well.
	for range 200 {
		result = d.pass(time.Second)
	}
	if image := d.tracker().Spec.Template.Spec.Containers[0].Image; image != "img:1" || !result.Settled || len(result.Problems) > 0 {
		t.Errorf("image %s, %+v", image, result)
	}
	d.writes = 0
	d.other(t.Context())
	if d.pass(time.Second); d.writes != 1 {
		t.Errorf("%d writes at once after a calm time", d.writes)
	}
}

// TestRepairsAtOnce: what people change now and then is changed back at once, and is no contest.
func TestRepairsAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(0)
	d.pass(time.Second)
	for i := range 10 {
		d.other(t.Context())
		result := d.pass(time.Minute)
		if image := d.tracker().Spec.Template.Spec.Containers[0].Image; image != "img:1" || len(result.Problems) > 0 {
			t.Fatalf("change %d: image %s, %+v", i, image, result)
		}
	}
}

// TestAdopt restores children from a backup, which leaves owners out.
func TestAdopt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.pass(0)
	tracker := d.tracker()
	if err := d.Delete(t.Context(), tracker); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		change  func(*appsv1.Deployment)
		adopted bool
	}{
		"without an owner": {func(o *appsv1.Deployment) { o.OwnerReferences = nil }, true},
		"with an owner that is no controller": {func(o *appsv1.Deployment) {
			o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "backup", UID: "u9"}}
		}, true},
		"of another controller": {func(o *appsv1.Deployment) {
			o.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "App", Name: "x", UID: "u9", Controller: new(true)}}
		}, false},
		"without our labels":   {func(o *appsv1.Deployment) { o.OwnerReferences, o.Labels = nil, nil }, false},
		"of another stream":    {func(o *appsv1.Deployment) { o.OwnerReferences, o.Labels[plan.LabelStream] = nil, "film" }, false},
		"managed by something": {func(o *appsv1.Deployment) { o.OwnerReferences, o.Labels[plan.LabelManagedBy] = nil, "Helm" }, false},
	} {
		restored := tracker.DeepCopy()
		restored.ObjectMeta = metav1.ObjectMeta{Namespace: "media", Name: "live-tracker", Labels: restored.Labels, OwnerReferences: restored.OwnerReferences}
		tt.change(restored)
		if err := d.Create(t.Context(), restored, client.FieldOwner("velero")); err != nil {
			t.Fatal(err)
		}
		d.memory = Memory{}
		result := d.pass(time.Hour)
		found := d.tracker()
		if got := metav1.IsControlledBy(found, d.stream); got != tt.adopted {
			t.Errorf("%s: adopted: %t", name, got)
		}
		if got := fmt.Sprint(result.Adopted); (got == "[{Deployment live-tracker}]") != tt.adopted {
			t.Errorf("%s: adopted %s", name, got)
		}
		if (len(result.Problems) == 0) != tt.adopted {
			t.Errorf("%s: %+v", name, result.Problems)
		}
		if !tt.adopted && found.ResourceVersion != restored.ResourceVersion {
			t.Errorf("%s: it was changed", name)
		}
		if err := d.Delete(t.Context(), found); err != nil {
			t.Fatal(err)
		}
	}
}
