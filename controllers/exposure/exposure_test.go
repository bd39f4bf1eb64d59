package exposure

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func TestForKnowsEveryType(t *testing.T) {
	t.Parallel()
	for _, row := range table {
		if For(row.name) != row.strategy {
			t.Errorf("For(%s) = %T", row.name, For(row.name))
		}
	}
	if For("Magic") != (clusterIP{}) {
		t.Errorf("For of an unknown type = %T", For("Magic"))
	}
}

func TestSettingsOfASpecWithoutExposures(t *testing.T) {
	t.Parallel()
	for _, spec := range []v1.P2PStreamSpec{{}, {Tracker: &v1.TrackerSpec{}, STUN: &v1.STUNSpec{}, Seeders: &v1.SeedersSpec{}}} {
		for _, c := range Components() {
			if s := SettingsOf(&spec, c); s.Type != v1.ExposureClusterIP {
				t.Errorf("%s: %+v", c, s)
			}
		}
		if NeedsNodes(&spec) {
			t.Error("needs nodes")
		}
	}
}

func TestNeedsNodes(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]v1.P2PStreamSpec{
		"tracker": {Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureNodePort}}},
		"stun":    {STUN: &v1.STUNSpec{Exposure: &v1.STUNExposure{Type: v1.ExposureNodePort}}},
		"seeders": {Seeders: &v1.SeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureNodePort}}},
	} {
		if !NeedsNodes(&spec) {
			t.Errorf("%s on a node port needs no nodes", name)
		}
	}
	behind := v1.P2PStreamSpec{Seeders: &v1.SeedersSpec{Exposure: &v1.SeederExposure{Type: v1.ExposureLoadBalancer}}}
	if NeedsNodes(&behind) {
		t.Error("seeders behind load balancers need nodes")
	}
	behind.Sites = &v1.SitesSpec{List: []v1.SiteSpec{{Name: "Berlin", Seeders: &v1.SiteSeedersSpec{}}}}
	if !NeedsNodes(&behind) {
		t.Error("seeders of sites, which are reached at their nodes, need none")
	}
	inside := v1.P2PStreamSpec{Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureClusterIP}}}
	if NeedsNodes(&inside) {
		t.Error("a tracker inside the cluster needs nodes")
	}
}

func TestReached(t *testing.T) {
	t.Parallel()
	all := []string{"198.51.100.1", "10.0.0.1", "2001:DB8::1", "fd00::1", "node-1"}
	for name, tt := range map[string]struct {
		addresses []string
		families  []v1.IPFamily
		want      []string
	}{
		"the first of each family": {all, nil, []string{"198.51.100.1", "2001:db8::1"}},
		"of one family":            {all, []v1.IPFamily{v1.IPv6}, []string{"2001:db8::1"}},
		"no address":               {[]string{"node-1", ""}, nil, nil},
		"nothing":                  {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, Reached(tt.addresses, tt.families)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNote(t *testing.T) {
	t.Parallel()
	service := func(kind corev1.ServiceType, ports ...int32) *corev1.Service {
		s := &corev1.Service{Spec: corev1.ServiceSpec{Type: kind}}
		for _, p := range ports {
			s.Spec.Ports = append(s.Spec.Ports, corev1.ServicePort{NodePort: p})
		}
		return s
	}
	before := Observed{"a": {NodePort: 30000}}
	for name, tt := range map[string]struct {
		before Observed
		child  runtime.Object
		want   Observed
	}{
		"a first port":                     {Observed{}, service(corev1.ServiceTypeNodePort, 30001), Observed{"a": {NodePort: 30001}}},
		"another port":                     {before, service(corev1.ServiceTypeNodePort, 30001), Observed{"a": {NodePort: 30001}}},
		"none yet":                         {before, service(corev1.ServiceTypeNodePort, 0), before},
		"inside the cluster now":           {before, service(corev1.ServiceTypeClusterIP, 0), Observed{}},
		"several ports":                    {before, service(corev1.ServiceTypeNodePort, 1, 2), before},
		"a ConfigMap of the same name":     {before, &corev1.ConfigMap{}, before},
		"a ConfigMap, nothing known of it": {Observed{}, &corev1.ConfigMap{}, Observed{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Observed{}
			for k, v := range tt.before {
				got[k] = v
			}
			got.Note("a", tt.child)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestNoteLoadBalancer: what a load balancer was assigned is taken in one spelling, bounded, and forgotten when it is gone.
func TestNoteLoadBalancer(t *testing.T) {
	t.Parallel()
	service := func(kind corev1.ServiceType, ingress ...corev1.LoadBalancerIngress) *corev1.Service {
		return &corev1.Service{Spec: corev1.ServiceSpec{Type: kind}, Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: ingress}}}
	}
	var many []corev1.LoadBalancerIngress
	for i := range 20 {
		many = append(many, corev1.LoadBalancerIngress{IP: fmt.Sprintf("192.0.2.%d", i)})
	}
	for name, tt := range map[string]struct {
		child runtime.Object
		want  []string
	}{
		"addresses and a name": {service(corev1.ServiceTypeLoadBalancer, corev1.LoadBalancerIngress{IP: "2001:DB8:0::1"}, corev1.LoadBalancerIngress{Hostname: "LB.example.net"}), []string{"2001:db8::1", "lb.example.net"}},
		"each once":            {service(corev1.ServiceTypeLoadBalancer, corev1.LoadBalancerIngress{IP: "192.0.2.1"}, corev1.LoadBalancerIngress{IP: "192.0.2.1"}), []string{"192.0.2.1"}},
		"what no URL may hold": {service(corev1.ServiceTypeLoadBalancer, corev1.LoadBalancerIngress{Hostname: "lb/../x"}, corev1.LoadBalancerIngress{IP: "fe80::1%eth0"}, corev1.LoadBalancerIngress{IP: "0.0.0.0"}), nil},
		"none":                 {service(corev1.ServiceTypeLoadBalancer), nil},
		"another type":         {service(corev1.ServiceTypeClusterIP, corev1.LoadBalancerIngress{IP: "192.0.2.1"}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Observed{"a": {LoadBalancer: []string{"198.51.100.1"}}}
			got.Note("a", tt.child)
			if diff := cmp.Diff(tt.want, got["a"].LoadBalancer); diff != "" {
				t.Error(diff)
			}
		})
	}
	got := Observed{}
	got.Note("a", service(corev1.ServiceTypeLoadBalancer, many...))
	if n := len(got["a"].LoadBalancer); n != maxAssigned {
		t.Errorf("%d addresses of 20, want %d", n, maxAssigned)
	}
}

func TestCheckObserved(t *testing.T) {
	t.Parallel()
	for port, ok := range map[int32]bool{0: true, 30000: true, 65535: true, -1: false, 65536: false} {
		if err := (Observed{"a": {NodePort: port}}).Check(); (err == nil) != ok {
			t.Errorf("%d: %v", port, err)
		}
	}
}

func TestAddressURLs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		address         Address
		http, webSocket string
	}{
		{Address{Host: "p2p.example.com", Port: 30080}, "http://p2p.example.com:30080/v1/config", "ws://p2p.example.com:30080/v1/config"},
		{Address{Host: "2001:db8::1", Port: 443, TLS: true}, "https://[2001:db8::1]/v1/config", "wss://[2001:db8::1]/v1/config"},
		{Address{Host: "p2p.example.com", Port: 443}, "http://p2p.example.com:443/v1/config", "ws://p2p.example.com:443/v1/config"},
		{Address{Host: "p2p.example.com", Port: 80}, "http://p2p.example.com/v1/config", "ws://p2p.example.com/v1/config"},
		{Address{Host: "p2p.example.com", Port: 443, TLS: true, Path: "/town-hall"}, "https://p2p.example.com/town-hall/v1/config", "wss://p2p.example.com/town-hall/v1/config"},
	} {
		if got := tt.address.HTTP("/v1/config"); got != tt.http {
			t.Errorf("%s, want %s", got, tt.http)
		}
		if got := tt.address.WebSocket("/v1/config"); got != tt.webSocket {
			t.Errorf("%s, want %s", got, tt.webSocket)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	addresses := []Address{{Host: "a"}, {Host: "b"}}
	for prior, want := range map[string]string{"": "a", "b": "b", "c": "a"} {
		if got, ok := Choose(addresses, prior); !ok || got.Host != want {
			t.Errorf("prior %q: %q, want %q", prior, got.Host, want)
		}
	}
	if _, ok := Choose(nil, "a"); ok {
		t.Error("chooses from nothing")
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	for c, want := range map[Component]string{Tracker: "spec.tracker.exposure", STUN: "spec.stun.exposure", Seeder: "spec.seeders.exposure"} {
		if got := c.Field(); got != want {
			t.Errorf("%s: %s", c, got)
		}
	}
}
