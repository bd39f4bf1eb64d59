package controllers_test

import (
	"sync/atomic"
	"testing"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
)

// TestIngress: a stream behind an Ingress says that its class is missing, serves once there is one and its controller has taken
// it, and leaves no Ingress behind when it is exposed in another way.
func TestIngress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var later atomic.Int64 // seconds by which the operator's clock is ahead
	w.operator(func(o *controllers.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load()) * time.Second) }
	})
	const class = "example-gateway-of-this-test"
	w.stream("live", func(s *v1.P2PStreamSpec) {
		s.Tracker = &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureIngress, Host: "p2p.example.com", Path: "/town-hall",
			Ingress: &v1.IngressSettings{ClassName: class, TLSSecretName: "tls"}}}
		s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}
		s.Seeders = &v1.SeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}}
	})
	s := w.until("live", "missing a class", has("TrackerReady=True/ClassNotFound"))
	w.says(s, v1.ConditionTrackerReady, class, "spec.tracker.exposure.ingress.className")

	made := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: class}, Spec: networkingv1.IngressClassSpec{Controller: "example.com/gateway"}}
	if err := w.Create(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Delete(t.Context(), made) })
	later.Store(60) // the list of classes is old
	w.edit("live", func(s *v1.P2PStreamSpec) { s.SwarmID = "a-change-that-causes-a-run" })
	w.until("live", "waiting for the controller", has("TrackerReady=True/AddressPending"))

	var route networkingv1.Ingress
	key := client.ObjectKey{Namespace: w.ns, Name: "live-tracker"}
	if err := w.Get(t.Context(), key, &route); err != nil {
		t.Fatal(err)
	}
	route.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "203.0.113.10"}}
	if err := w.Status().Update(t.Context(), &route); err != nil {
		t.Fatal(err)
	}
	s = w.until("live", "available", has("TrackerReady=True/Available"))
	if e := s.Status.Endpoints; e.Announce != "wss://p2p.example.com/town-hall/announce" || e.Player != "https://p2p.example.com/town-hall/player" {
		t.Errorf("endpoints %+v", e)
	}

	w.edit("live", func(s *v1.P2PStreamSpec) { s.Tracker.Exposure = &v1.TrackerExposure{Type: v1.ExposureNodePort} })
	if !w.eventually(func() bool {
		return client.IgnoreNotFound(w.Get(t.Context(), key, &route)) == nil && w.Get(t.Context(), key, &route) != nil
	}) {
		t.Error("the Ingress stays")
	}
}
