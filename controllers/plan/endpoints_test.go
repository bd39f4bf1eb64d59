package plan

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

func announced(host string) *v1.EndpointsStatus {
	return &v1.EndpointsStatus{Announce: "ws://" + host + ":31234/announce"}
}

func TestTrackerAddress(t *testing.T) {
	t.Parallel()
	nodes := []Node{
		{Name: "b", Addresses: []string{"10.0.0.2"}},
		{Name: "a", Addresses: []string{"192.0.2.1", "10.0.0.1"}, Tracker: true},
		{Name: "c"},
	}
	tests := []struct {
		name     string
		exposure v1.TrackerExposure
		nodes    []Node
		prior    *v1.EndpointsStatus
		want     string
	}{
		{"first node by name, its first address", v1.TrackerExposure{}, nodes, nil, "ws://192.0.2.1:31234/announce"},
		{"the address before, while its node is there", v1.TrackerExposure{}, nodes, announced("10.0.0.2"), "ws://10.0.0.2:31234/announce"},
		{"another one when its node is gone", v1.TrackerExposure{}, nodes[1:], announced("10.0.0.2"), "ws://192.0.2.1:31234/announce"},
		{"no nodes", v1.TrackerExposure{}, nil, announced("10.0.0.2"), ""},
		{"a host", v1.TrackerExposure{Host: "p2p.example.com", Addresses: []v1.IPAddress{"198.51.100.1"}}, nodes, announced("10.0.0.2"), "ws://p2p.example.com:31234/announce"},
		{"an IPv6 host", v1.TrackerExposure{Host: "2001:db8::1"}, nodes, nil, "ws://[2001:db8::1]:31234/announce"},
		{"a certificate", v1.TrackerExposure{Host: "p2p.example.com", TLSSecretName: "tls"}, nodes, nil, "wss://p2p.example.com:31234/announce"},
		{"addresses of no node", v1.TrackerExposure{Addresses: []v1.IPAddress{"198.51.100.2", "198.51.100.1"}}, nil, nil, "ws://198.51.100.2:31234/announce"},
		{"the address before, among those of the spec", v1.TrackerExposure{Addresses: []v1.IPAddress{"198.51.100.2", "198.51.100.1"}}, nodes, announced("198.51.100.1"), "ws://198.51.100.1:31234/announce"},
		{"not the address before, which the spec lacks", v1.TrackerExposure{Addresses: []v1.IPAddress{"198.51.100.2"}}, nodes, announced("10.0.0.2"), "ws://198.51.100.2:31234/announce"},
		{"Local: only nodes with a tracker", v1.TrackerExposure{ExternalTrafficPolicy: v1.TrafficPolicyLocal}, nodes, announced("10.0.0.2"), "ws://192.0.2.1:31234/announce"},
		{"Local: no tracker yet", v1.TrackerExposure{ExternalTrafficPolicy: v1.TrafficPolicyLocal}, nodes[:1], nil, ""},
		{"Local: addresses of nodes with a tracker", v1.TrackerExposure{ExternalTrafficPolicy: v1.TrafficPolicyLocal, Addresses: []v1.IPAddress{"10.0.0.2", "10.0.0.1"}}, nodes, nil, "ws://10.0.0.1:31234/announce"},
		{"a port that the spec asks for", v1.TrackerExposure{NodePort: new(v1.NodePort(30080))}, nodes, nil, "ws://192.0.2.1:30080/announce"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream, _ := read(t, "nodeport-after")
			tt.exposure.Type = v1.ExposureNodePort
			stream.Spec.Tracker.Exposure = &tt.exposure
			p, err := Make(stream, Facts{Image: "i", Observed: assigned(map[string]int32{"town-hall-tracker": 31234}), Nodes: tt.nodes, Endpoints: tt.prior})
			if err != nil {
				t.Fatal(err)
			}
			if p.Endpoints.Announce != tt.want {
				t.Errorf("announce %q, want %q", p.Endpoints.Announce, tt.want)
			}
			if (p.Endpoints.Config == "") != (tt.want == "") || (p.Endpoints.Player == "") != (tt.want == "") {
				t.Errorf("config %q, player %q", p.Endpoints.Config, p.Endpoints.Player)
			}
		})
	}
}

func TestSTUNAddresses(t *testing.T) {
	t.Parallel()
	ready := []Node{
		{Name: "a", Addresses: []string{"10.0.0.1"}, STUN: true},
		{Name: "b", Addresses: []string{"10.0.0.2"}},
		{Name: "c", Addresses: []string{"10.0.0.3"}, STUNStarting: true},
		{Name: "d", Addresses: []string{"10.0.0.4"}, STUN: true},
	}
	var many []Node
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		many = append(many, Node{Name: n, Addresses: []string{"10.0.0." + n}, STUN: true})
	}
	tests := []struct {
		name     string
		exposure v1.STUNExposure
		nodes    []Node
		prior    []string
		want     []string // in status
		file     []string // what the tracker may hand out
	}{
		{"nodes with a ready server", v1.STUNExposure{}, ready, nil,
			[]string{"stun:10.0.0.1:31235", "stun:10.0.0.4:31235"}, []string{"stun:10.0.0.1:31235", "stun:10.0.0.4:31235", "stun:10.0.0.3:31235"}},
		{"those before keep their places", v1.STUNExposure{}, ready, []string{"stun:10.0.0.4:31235", "stun:10.0.0.9:31235"},
			[]string{"stun:10.0.0.4:31235", "stun:10.0.0.1:31235"}, []string{"stun:10.0.0.4:31235", "stun:10.0.0.1:31235", "stun:10.0.0.3:31235"}},
		{"not too many", v1.STUNExposure{}, many, []string{"stun:10.0.0.6:31235"},
			[]string{"stun:10.0.0.6:31235", "stun:10.0.0.1:31235", "stun:10.0.0.2:31235", "stun:10.0.0.3:31235"},
			[]string{"stun:10.0.0.6:31235", "stun:10.0.0.1:31235", "stun:10.0.0.2:31235", "stun:10.0.0.3:31235"}},
		{"addresses, but not of nodes without a server", v1.STUNExposure{Addresses: []v1.IPAddress{"10.0.0.2", "198.51.100.1", "10.0.0.4"}}, ready, nil,
			[]string{"stun:198.51.100.1:31235", "stun:10.0.0.4:31235"}, []string{"stun:198.51.100.1:31235", "stun:10.0.0.4:31235"}},
		{"a host", v1.STUNExposure{Host: "stun.example.com"}, ready, nil, []string{"stun:stun.example.com:31235"}, []string{"stun:stun.example.com:31235"}},
		{"starting only", v1.STUNExposure{}, ready[2:3], nil, nil, []string{"stun:10.0.0.3:31235"}},
		{"nowhere", v1.STUNExposure{}, ready[1:2], []string{"stun:10.0.0.2:31235"}, nil, []string{}},
	}
	t.Run("beside those of the spec", func(t *testing.T) {
		t.Parallel()
		stream, _ := read(t, "nodeport-after")
		stream.Spec.STUN.Exposure = &v1.STUNExposure{Type: v1.ExposureNodePort}
		stream.Spec.STUN.Servers = []v1.STUNServer{"stun:stun.example.com", "stun:10.0.0.4:31235"}
		facts := Facts{Image: "i", Nodes: many, Observed: assigned(map[string]int32{"town-hall-stun": 31235}),
			Endpoints: &v1.EndpointsStatus{STUN: []string{"stun:10.0.0.5:31235", "stun:10.0.0.6:31235", "stun:10.0.0.4:31235"}}}
		named := []string{"stun:stun.example.com", "stun:10.0.0.4:31235"}
		for ready, want := range map[bool][]string{false: named, true: append(named, "stun:10.0.0.5:31235", "stun:10.0.0.6:31235")} {
			facts.STUNReady = ready
			p, err := Make(stream, facts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, p.Endpoints.STUN); diff != "" {
				t.Errorf("own ready: %t\n%s", ready, diff)
			}
			if diff := cmp.Diff(append(named, "stun:10.0.0.5:31235", "stun:10.0.0.6:31235"), stunFileOf(t, p)); diff != "" && ready {
				t.Errorf("stun.json\n%s", diff)
			}
		}
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream, _ := read(t, "nodeport-after")
			tt.exposure.Type = v1.ExposureNodePort
			stream.Spec.STUN.Exposure = &tt.exposure
			p, err := Make(stream, Facts{Image: "i", STUNReady: true, Nodes: tt.nodes,
				Observed: assigned(map[string]int32{"town-hall-stun": 31235}), Endpoints: &v1.EndpointsStatus{STUN: tt.prior}})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, p.Endpoints.STUN, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.file, stunFileOf(t, p)); diff != "" {
				t.Errorf("stun.json\n%s", diff)
			}
		})
	}
}

func stunFileOf(t *testing.T, p Plan) []string {
	t.Helper()
	var servers []string
	if err := json.Unmarshal([]byte(configMapOf(t, p, "town-hall-tracker").Data[fileSTUN]), &servers); err != nil {
		t.Fatal(err)
	}
	return servers
}

func configMapOf(t *testing.T, p Plan, name string) *corev1.ConfigMap {
	t.Helper()
	for _, o := range p.Objects {
		if o.Ref == (Ref{"ConfigMap", name}) {
			return object(t, o).(*corev1.ConfigMap)
		}
	}
	t.Fatalf("no ConfigMap %s", name)
	return nil
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	inside := v1.ExposureClusterIP
	tests := []struct {
		name   string
		change func(*v1.P2PStreamSpec, *Facts)
		want   []string
	}{
		{"on node ports without a certificate", func(*v1.P2PStreamSpec, *Facts) {}, []string{"TrackerReady/InsecureEndpoint"}},
		{"sites, and nodes that hide viewers' addresses", func(s *v1.P2PStreamSpec, _ *Facts) { s.Sites = &v1.SitesSpec{} },
			[]string{"TrackerReady/ClientAddressesHidden", "TrackerReady/InsecureEndpoint"}},
		{"sites, and the policy Local", func(s *v1.P2PStreamSpec, _ *Facts) {
			s.Sites, s.Tracker.Exposure.ExternalTrafficPolicy = &v1.SitesSpec{}, v1.TrafficPolicyLocal
		}, []string{"TrackerReady/InsecureEndpoint"}},
		{"sites behind a proxy", func(s *v1.P2PStreamSpec, _ *Facts) {
			s.Sites = &v1.SitesSpec{}
			s.Tracker.ClientAddress = &v1.ClientAddressSpec{From: v1.ClientAddressForwarded, TrustedProxies: []v1.ProxyRange{"10.0.0.0/24"}}
		}, []string{"TrackerReady/InsecureEndpoint"}},
		{"with a certificate", func(s *v1.P2PStreamSpec, _ *Facts) { s.Tracker.Exposure.TLSSecretName = "tls" }, nil},
		{"inside the cluster", func(s *v1.P2PStreamSpec, _ *Facts) { *s = v1.P2PStreamSpec{Source: s.Source} }, []string{"TrackerReady/ClusterOnly"}},
		{"behind a proxy of one's own", func(s *v1.P2PStreamSpec, _ *Facts) {
			s.Tracker.Exposure = &v1.TrackerExposure{Type: inside, Host: "p2p.example.com", TLSTerminated: true}
		}, nil},
		{"behind a proxy of one's own without TLS", func(s *v1.P2PStreamSpec, _ *Facts) {
			s.Tracker.Exposure = &v1.TrackerExposure{Type: inside, Host: "p2p.example.com"}
		}, []string{"TrackerReady/InsecureEndpoint"}},
		{"no port yet", func(_ *v1.P2PStreamSpec, f *Facts) { f.Observed = nil }, nil},
		{"no address", func(_ *v1.P2PStreamSpec, f *Facts) { f.Nodes = nil }, []string{"TrackerReady/NotAdvertised", "STUNReady/NotAdvertised"}},
		{"STUN not exposed", func(s *v1.P2PStreamSpec, _ *Facts) { s.STUN = nil }, []string{"TrackerReady/InsecureEndpoint", "STUNReady/NotAdvertised"}},
		{"STUN not ready yet", func(_ *v1.P2PStreamSpec, f *Facts) { f.STUNReady = false }, []string{"TrackerReady/InsecureEndpoint"}},
		{"STUN disabled", func(s *v1.P2PStreamSpec, _ *Facts) { s.STUN = &v1.STUNSpec{Enabled: new(false)} }, []string{"TrackerReady/InsecureEndpoint"}},
		{"seeders not exposed", func(s *v1.P2PStreamSpec, _ *Facts) { s.Seeders.Exposure.Type = inside }, []string{"TrackerReady/InsecureEndpoint", "SeedersReady/NotAdvertised"}},
		{"no seeders", func(s *v1.P2PStreamSpec, _ *Facts) { s.Seeders = &v1.SeedersSpec{Replicas: new(int32(0))} }, []string{"TrackerReady/InsecureEndpoint"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream, facts := read(t, "nodeport-after")
			tt.change(&stream.Spec, &facts)
			p, err := Make(stream, facts)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range p.Warnings {
				got = append(got, w.Condition+"/"+w.Reason)
				if w.Message == "" {
					t.Errorf("%s says nothing", w.Reason)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
