package controllers_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// behindLoadBalancers puts everything behind load balancers.
func behindLoadBalancers(s *v1.P2PStreamSpec) {
	s.Tracker = &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureLoadBalancer, TLSSecretName: "tls"}}
	s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureLoadBalancer}}
	s.Seeders = &v1.SeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureLoadBalancer}}
}

// assign does what an implementation of load balancers does: it gives a Service an address.
func (w *world) assign(service, address string) {
	w.t.Helper()
	var s corev1.Service
	if !w.eventually(func() bool {
		return w.Get(w.t.Context(), client.ObjectKey{Namespace: w.ns, Name: service}, &s) == nil
	}) {
		w.t.Fatalf("no Service %s", service)
	}
	before := s.DeepCopy()
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
	if err := w.Status().Patch(w.t.Context(), &s, client.MergeFrom(before)); err != nil {
		w.t.Fatal(err)
	}
}

// TestLoadBalancersAssignAddresses: a stream behind load balancers says what it waits for, serves at the addresses that it gets,
// and follows one that changes.
func TestLoadBalancersAssignAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.operator()
	w.stream("live", behindLoadBalancers)
	s := w.until("live", "waiting for addresses", func(s *v1.P2PStream) bool {
		return has("TrackerReady=True/AddressPending")(s) && has("STUNReady=True/AddressPending")(s) && has("SeedersReady=False/AddressPending")(s)
	})
	w.says(s, v1.ConditionSeedersReady, "live-seeder-0", "kubectl describe service", "spec.seeders.exposure.type to NodePort")
	if has("Ready=True/Serving")(s) {
		t.Errorf("ready without a seeder: %s", message(s, v1.ConditionReady))
	}

	w.assign("live-tracker", "203.0.113.10")
	w.assign("live-stun", "203.0.113.11")
	w.assign("live-seeder-0", "203.0.113.12")
	s = w.until("live", "Current", current)
	if e := s.Status.Endpoints; e.Announce != "wss://203.0.113.10/announce" || strings.Join(e.STUN, " ") != "stun:203.0.113.11:3478" {
		t.Errorf("endpoints %+v", e)
	}
	advertised := func(address string) bool {
		var files corev1.ConfigMap
		err := w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "live-seeder"}, &files)
		return err == nil && strings.Contains(files.Data["advertise.json"], address)
	}
	if !advertised("203.0.113.12") {
		t.Error("the seeder does not advertise the address of its load balancer")
	}

	w.assign("live-tracker", "203.0.113.20")
	w.assign("live-seeder-0", "203.0.113.22")
	w.until("live", "at its new address", func(s *v1.P2PStream) bool { return s.Status.Endpoints.Announce == "wss://203.0.113.20/announce" })
	if !w.eventually(func() bool { return advertised("203.0.113.22") }) {
		t.Error("the seeder does not follow the address of its load balancer")
	}
}
