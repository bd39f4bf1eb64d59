package apply

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/diagnose"
	"github.com/p2pstream/p2pstream/controllers/exposure"
	"github.com/p2pstream/p2pstream/controllers/plan"
)

func TestSettled(t *testing.T) {
	t.Parallel()
	live := func(change func(*corev1.ConfigMap)) client.Object {
		o := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{UID: "u", ResourceVersion: "20", Generation: 3, Labels: map[string]string{"a": "b"}}}
		change(o)
		return o
	}
	rec := &record{hash: "h", uid: "u", version: "20", generation: 3, metadataHash: metadataHash(live(func(*corev1.ConfigMap) {}))}
	for name, tt := range map[string]struct {
		rec           *record
		hash          string
		live          client.Object
		settled, seen bool
	}{
		"as we left it":           {rec, "h", live(func(*corev1.ConfigMap) {}), true, true},
		"never applied":           {nil, "h", live(func(*corev1.ConfigMap) {}), false, false},
		"another plan":            {rec, "i", live(func(*corev1.ConfigMap) {}), false, true},
		"not there":               {rec, "h", nil, false, false},
		"another of that name":    {rec, "h", live(func(o *corev1.ConfigMap) { o.UID = "v" }), false, false},
		"the cache is behind":     {rec, "h", live(func(o *corev1.ConfigMap) { o.ResourceVersion = "9" }), true, false},
		"only its status changed": {rec, "h", live(func(o *corev1.ConfigMap) { o.ResourceVersion = "21" }), true, true},
		"its spec was changed":    {rec, "h", live(func(o *corev1.ConfigMap) { o.ResourceVersion, o.Generation = "21", 4 }), false, true},
		"a label was changed":     {rec, "h", live(func(o *corev1.ConfigMap) { o.ResourceVersion, o.Labels = "21", nil }), false, true},
		"refused":                 {&record{hash: "h", uid: "u", version: "20", problem: &diagnose.Problem{}}, "h", live(func(*corev1.ConfigMap) {}), false, true},
		"a kind that counts no generations": {&record{hash: "h", uid: "u", version: "20", metadataHash: rec.metadataHash}, "h",
			live(func(o *corev1.ConfigMap) { o.ResourceVersion, o.Generation = "21", 0 }), false, true},
		"versions of another store": {&record{hash: "h", uid: "u", version: "x"}, "h", live(func(o *corev1.ConfigMap) { o.ResourceVersion = "y" }), false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.rec.settled(tt.hash, tt.live); got != tt.settled {
				t.Errorf("settled %t", got)
			}
			if tt.rec != nil {
				if got := tt.rec.seen(tt.live); got != tt.seen {
					t.Errorf("seen %t", got)
				}
			}
		})
	}
}

func TestRefusedBacksOff(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &record{}
	var waits []time.Duration
	for range 8 {
		r.refused("h", diagnose.Problem{}, now)
		waits = append(waits, r.next.Sub(now))
	}
	if got := fmt.Sprint(waits); got != "[2s 4s 8s 16s 32s 1m0s 1m0s 1m0s]" {
		t.Error(got)
	}
	r.refused("another plan", diagnose.Problem{}, now)
	if wait := r.next.Sub(now); wait != 2*time.Second {
		t.Errorf("another plan waits %s", wait)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	ref := plan.Ref{Kind: "Service", Name: "a-tracker"}
	service := schema.GroupKind{Kind: "Service"}
	at := field.NewPath("spec", "ports").Index(0).Child("nodePort")
	taken := apierrors.NewInvalid(service, "a-tracker", field.ErrorList{field.Invalid(at, 30000, "provided port is already allocated")})
	outside := apierrors.NewInvalid(service, "a-tracker", field.ErrorList{field.Invalid(at, 80, "provided port is not in the valid range. The range of valid ports is 30000-32767")})
	const asked = "spec.tracker.exposure.nodePort 30000"
	exposed := &exposure.Target{Component: exposure.Tracker, Name: "a-tracker",
		Settings: v1.ExposureSettings{Type: v1.ExposureNodePort, NodePort: new(v1.NodePort(30000))}}
	plain := &exposure.Target{Component: exposure.Tracker, Name: "a-tracker", Settings: v1.ExposureSettings{Type: v1.ExposureNodePort}}
	for name, tt := range map[string]struct {
		err     error
		exposes *exposure.Target
		reason  string // empty: to be tried again
		says    []string
	}{
		"port taken":        {taken, exposed, v1.ReasonNodePortTaken, []string{asked, "choose another"}},
		"port out of range": {outside, exposed, v1.ReasonInvalidSpec, []string{asked, "30000-32767"}},
		"invalid": {apierrors.NewInvalid(service, "a", field.ErrorList{field.Forbidden(field.NewPath("spec"), "updates to statefulset spec are forbidden")}), nil,
			v1.ReasonApplyFailed, []string{"updates to statefulset spec", "delete the object"}},
		"forbidden":          {apierrors.NewForbidden(schema.GroupResource{Resource: "services"}, "a", errors.New("exceeded quota")), exposed, v1.ReasonApplyFailed, []string{"may not write Service a-tracker", "exceeded quota", "roles"}},
		"a foreign object":   {&foreignObjectError{ref}, plain, v1.ReasonApplyFailed, []string{"Service a-tracker exists", "rename"}},
		"conflict":           {apierrors.NewConflict(schema.GroupResource{}, "a", errors.New("x")), plain, "", nil},
		"server busy":        {apierrors.NewTooManyRequests("slow down", 1), nil, "", nil},
		"server away":        {errors.New("connection refused"), exposed, "", nil},
		"internal error":     {apierrors.NewInternalError(errors.New("etcd")), nil, "", nil},
		"credentials inside": {apierrors.NewBadRequest("bad https://u:secret@o/x?k=secret"), plain, v1.ReasonApplyFailed, []string{"https://o/x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, forget := explain(tt.err, ref, tt.exposes)
			if forget {
				t.Error("forgets what the cluster assigned")
			}
			if tt.reason == "" {
				if got != nil {
					t.Errorf("%+v", got)
				}
				return
			}
			if got == nil || got.Reason != tt.reason || !got.Stalls || got.Component != plan.ComponentTracker {
				t.Fatalf("%+v", got)
			}
			for _, text := range tt.says {
				if !strings.Contains(got.Message, text) {
					t.Errorf("does not say %q: %s", text, got.Message)
				}
			}
			if strings.Contains(got.Message, "secret") || strings.Contains(got.Message, "..") {
				t.Error(got.Message)
			}
		})
	}
}

// TestExplainForgets: a port that the spec does not ask for is no problem when another Service has it.
func TestExplainForgets(t *testing.T) {
	t.Parallel()
	err := apierrors.NewInvalid(schema.GroupKind{Kind: "Service"}, "a-seeder-0", field.ErrorList{
		field.Invalid(field.NewPath("spec", "ports").Index(0).Child("nodePort"), 30000, "provided port is already allocated")})
	seeder := &exposure.Target{Component: exposure.Seeder, Name: "a-seeder-0", Settings: v1.ExposureSettings{Type: v1.ExposureNodePort}}
	if _, forget := explain(err, plan.Ref{Kind: "Service", Name: "a-seeder-0"}, seeder); !forget {
		t.Error("does not forget the port")
	}
}

func TestComponentOfName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"a-tracker": plan.ComponentTracker, "a-tracker-internal": plan.ComponentTracker, "a-stun": plan.ComponentSTUN,
		"a-seeder-12": plan.ComponentSeeder, "a-seeder-token": plan.ComponentSeeder, "a-e3lirj": plan.ComponentEdge,
		"a-e3lirj-1": plan.ComponentEdge, "a": ""} {
		if got := component(plan.Ref{Name: name}); got != want {
			t.Errorf("%s is of %q", name, got)
		}
	}
}
