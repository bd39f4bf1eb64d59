package controllers_test

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// TestGateway: a stream behind a Gateway names what is missing, one thing after the other, and is available in the end; with a
// certificate of its own it has a TLSRoute in the place of the HTTPRoute, and neither when it is exposed in another way.
func TestGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Seconds by which the operator's clock is ahead, the last byte of the host's address, and how often it was asked for.
	var later, resolves, asked atomic.Int64
	resolves.Store(1)
	w.operator(func(o *controllers.Options) {
		o.Kinds = exposure.Kinds{HTTPRoute: true, TLSRoute: true}
		o.Now = func() time.Time { return time.Now().Add(time.Duration(later.Load()) * time.Second) }
		o.Lookup = func(context.Context, string) ([]netip.Addr, error) {
			asked.Add(1)
			return []netip.Addr{netip.AddrFrom4([4]byte{203, 0, 113, byte(resolves.Load())})}, nil
		}
	})
	// What is not watched is read again by a run when it is old.
	again := func(name string) {
		later.Add(60)
		w.edit("live", func(s *v1.P2PStreamSpec) { s.SwarmID = name })
	}
	w.stream("live", func(s *v1.P2PStreamSpec) {
		s.Tracker = &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureGateway, Host: "p2p.example.com", Path: "/town-hall", TLSTerminated: true,
			Gateway: &v1.GatewaySettings{ParentRefs: []v1.GatewayReference{{Name: "public"}}}}}
		s.STUN = &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}
		s.Seeders = &v1.SeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}}
	})
	s := w.until("live", "missing its Gateway", has("TrackerReady=True/GatewayNotFound"))
	w.says(s, v1.ConditionTrackerReady, w.ns+"/public", "spec.tracker.exposure.gateway.parentRefs")

	public := &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "public"}, Spec: gatewayv1.GatewaySpec{
		GatewayClassName: "example", Listeners: []gatewayv1.Listener{{Name: "http", Protocol: gatewayv1.HTTPProtocolType, Port: 80}}}}
	if err := w.Create(t.Context(), public); err != nil {
		t.Fatal(err)
	}
	again("with-a-gateway")
	w.until("live", "without an answer", has("TrackerReady=True/RouteNotAccepted"))

	var route gatewayv1.HTTPRoute
	key := client.ObjectKey{Namespace: w.ns, Name: "live-tracker"}
	w.answer(key, &route, &route.Status.RouteStatus, metav1.ConditionFalse, "NotAllowedByListeners")
	s = w.until("live", "refused by its Gateway", func(s *v1.P2PStream) bool {
		return has("TrackerReady=True/RouteNotAccepted")(s) && strings.Contains(message(s, v1.ConditionTrackerReady), "NotAllowedByListeners")
	})
	w.says(s, v1.ConditionTrackerReady, "kubectl describe httproute live-tracker")
	w.answer(key, &route, &route.Status.RouteStatus, metav1.ConditionTrue, "Accepted")
	w.until("live", "without an address", has("TrackerReady=True/AddressPending"))

	public.Status.Addresses = []gatewayv1.GatewayStatusAddress{{Type: new(gatewayv1.IPAddressType), Value: "203.0.113.10"}}
	if err := w.Status().Update(t.Context(), public); err != nil {
		t.Fatal(err)
	}
	again("with-an-address")
	s = w.until("live", "resolved elsewhere", has("TrackerReady=True/HostElsewhere"))
	w.says(s, v1.ConditionTrackerReady, "203.0.113.1 ", "203.0.113.10")
	resolves.Store(10)
	before := asked.Load()
	again("with-a-dns-record")
	if !w.eventually(func() bool { return asked.Load() > before }) {
		t.Fatal("the host is not looked up again")
	}
	w.edit("live", func(s *v1.P2PStreamSpec) { s.SwarmID = "a-run-with-the-answer" })
	w.until("live", "available", has("TrackerReady=True/Available"))
	if e := w.get("live").Status.Endpoints; e.Announce != "wss://p2p.example.com/town-hall/announce" || e.Player != "https://p2p.example.com/town-hall/player" {
		t.Errorf("endpoints %+v", e)
	}

	w.edit("live", func(s *v1.P2PStreamSpec) {
		s.Tracker.Exposure.TLSTerminated, s.Tracker.Exposure.Path, s.Tracker.Exposure.TLSSecretName = false, "", "tls"
	})
	var through gatewayv1.TLSRoute
	if !w.eventually(func() bool { return w.Get(t.Context(), key, &through) == nil && w.absent(key, &route) }) {
		t.Fatal("no TLSRoute in the place of the HTTPRoute")
	}
	if name := through.Spec.Rules[0].BackendRefs[0].Name; name != "live-tracker" || through.Spec.Hostnames[0] != "p2p.example.com" {
		t.Errorf("the TLSRoute leads from %v to %s", through.Spec.Hostnames, name)
	}
	w.edit("live", func(s *v1.P2PStreamSpec) { s.Tracker.Exposure = &v1.TrackerExposure{Type: v1.ExposureNodePort} })
	if !w.eventually(func() bool { return w.absent(key, &through) }) {
		t.Error("the TLSRoute stays")
	}
}

// TestNetworkBehindAGateway: the entrance of a network without the Gateway API is not ready, and says so; with it, the route is the
// network's.
func TestNetworkBehindAGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	network := &v1.P2PNetwork{ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "corp"}, Spec: v1.P2PNetworkSpec{
		Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureGateway, Host: "ecdn.example.com", TLSTerminated: true,
			Gateway: &v1.GatewaySettings{ParentRefs: []v1.GatewayReference{{Name: "public"}}}}}}}
	if err := w.Create(t.Context(), network); err != nil {
		t.Fatal(err)
	}
	entrance := func(reason string) func() bool {
		return func() bool {
			if w.Get(t.Context(), client.ObjectKeyFromObject(network), network) != nil {
				return false
			}
			for _, c := range network.Status.Conditions {
				if c.Type == v1.ConditionEntranceReady {
					return c.Status == metav1.ConditionFalse && c.Reason == reason
				}
			}
			return false
		}
	}
	stop := w.operator()
	if !w.eventually(entrance(v1.ReasonGatewayAPIMissing)) {
		t.Fatalf("%+v", network.Status.Conditions)
	}
	stop()
	w.operator(func(o *controllers.Options) { o.Kinds = exposure.Kinds{HTTPRoute: true} })
	var route gatewayv1.HTTPRoute
	if !w.eventually(func() bool {
		return w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "corp-network-tracker"}, &route) == nil && metav1.IsControlledBy(&route, network)
	}) {
		t.Fatal("no HTTPRoute of the network")
	}
	if !w.eventually(entrance(v1.ReasonGatewayNotFound)) {
		t.Fatalf("%+v", network.Status.Conditions)
	}
}

// answer does what the controller of a Gateway does: it says whether it serves a route.
func (w *world) answer(key client.ObjectKey, route client.Object, status *gatewayv1.RouteStatus, accepted metav1.ConditionStatus, reason string) {
	w.t.Helper()
	if !w.eventually(func() bool {
		if err := w.Get(w.t.Context(), key, route); err != nil {
			return false
		}
		status.Parents = []gatewayv1.RouteParentStatus{{ParentRef: gatewayv1.ParentReference{Name: "public"}, ControllerName: "example.com/gateway",
			Conditions: []metav1.Condition{{Type: string(gatewayv1.RouteConditionAccepted), Status: accepted, Reason: reason,
				ObservedGeneration: route.GetGeneration(), LastTransitionTime: metav1.Now()}}}}
		return w.Status().Update(w.t.Context(), route) == nil
	}) {
		w.t.Fatalf("the status of route %s cannot be written", key)
	}
}

// absent tells whether an object does not exist.
func (w *world) absent(key client.ObjectKey, o client.Object) bool {
	return apierrors.IsNotFound(w.Get(w.t.Context(), key, o))
}
