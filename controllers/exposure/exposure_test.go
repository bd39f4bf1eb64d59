package exposure

import (
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
	inside := v1.P2PStreamSpec{Tracker: &v1.TrackerSpec{Exposure: &v1.TrackerExposure{Type: v1.ExposureClusterIP}}}
	if NeedsNodes(&inside) {
		t.Error("a tracker inside the cluster needs nodes")
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
		{Address{Host: "2001:db8::1", Port: 443, TLS: true}, "https://[2001:db8::1]:443/v1/config", "wss://[2001:db8::1]:443/v1/config"},
		{Address{Host: "p2p.example.com", Port: 443, TLS: true, Path: "/town-hall"}, "https://p2p.example.com:443/town-hall/v1/config", "wss://p2p.example.com:443/town-hall/v1/config"},
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
