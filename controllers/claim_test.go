package controllers_test

import (
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
)

// TestTwoInstallations runs two operators with different images on one stream. The first one has it, and the second tells so once.
func TestTwoInstallations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator(func(o *controllers.Options) { o.Controller = "a/p2pstream" })
	w.stream("live")
	s := w.until("live", "Current", current)
	if s.Status.Claim == nil || s.Status.Claim.Controller != "a/p2pstream" {
		t.Fatalf("claim: %+v", s.Status.Claim)
	}
	w.operator(func(o *controllers.Options) { o.Controller, o.Image = "b/p2pstream", "other:1" })
	if !w.eventually(func() bool { return slices.Contains(w.events("live"), "Warning/ClaimedElsewhere") }) {
		t.Fatalf("events: %q", w.events("live"))
	}
	three := int32(3)
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Seeders = &v1.SeedersSpec{Replicas: &three} })
	w.until("live", "Current with three seeders", func(s *v1.P2PStream) bool { return current(s) && s.Status.Seeders.Replicas == 3 })
	var tracker appsv1.Deployment
	if err := w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "live-tracker"}, &tracker); err != nil {
		t.Fatal(err)
	}
	if got := tracker.Spec.Template.Spec.Containers[0].Image; got != image || tracker.Generation > 2 {
		t.Errorf("image %s, generation %d", got, tracker.Generation)
	}
	if got := w.get("live").Status.Claim.Controller; got != "a/p2pstream" {
		t.Errorf("claimed by %s", got)
	}
}

// TestClaimEnds: the streams of an installation that was removed go on under another one.
func TestClaimEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live")
	c := &clock{now: time.Now().Truncate(time.Second)}
	first := w.byHand("live", c)
	first.Controller = "a/p2pstream"
	first.settle(t)

	told := events.NewFakeRecorder(10)
	second := w.byHand("live", c)
	second.Controller, second.Events = "b/p2pstream", told
	for range 3 {
		c.turn(4 * time.Minute)
		if err := second.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := w.get("live").Status.Claim.Controller; got != "a/p2pstream" || second.client.writes > 0 {
			t.Fatalf("claimed by %s, %d writes", got, second.client.writes)
		}
	}
	if n := len(told.Events); n != 1 {
		t.Errorf("%d events", n)
	}
	c.turn(4 * time.Minute)
	second.settle(t)
	if got := w.get("live").Status.Claim.Controller; got != "b/p2pstream" {
		t.Errorf("claimed by %s", got)
	}
	if err := first.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := w.get("live").Status.Claim.Controller; got != "b/p2pstream" {
		t.Errorf("taken back by %s", got)
	}
}

// TestClaimIsRenewed: with nothing to report, the claim is written every five minutes, and not more often.
func TestClaimIsRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stream("live")
	c := &clock{now: time.Now().Truncate(time.Second)}
	h := w.byHand("live", c)
	h.Controller = "a/p2pstream"
	h.settle(t)
	c.turn(time.Minute)
	for range 3 {
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	h.client.writes = 0
	const turns = 33
	for range turns {
		c.turn(20 * time.Second) // a reading of the tracker is not old by then
		if err := h.run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.client.writes; n < 2 || n > 3 {
		t.Errorf("%d writes in %s", n, turns*20*time.Second)
	}
	if age := c.Now().Sub(w.get("live").Status.Claim.RenewedAt.Time); age > 6*time.Minute {
		t.Errorf("renewed %s ago", age)
	}
}
