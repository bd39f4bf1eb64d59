package plan

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/p2pstream/p2pstream/api/v1"
	"github.com/p2pstream/p2pstream/controllers/exposure"
)

func TestSeedersFollowTheirPorts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		wanted, pods int32
		known        []int32 // ordinals whose port is allocated
		replicas     int32   // -1: no StatefulSet
		services     int32
		ports        []int32
		byAudience   bool
	}{
		{name: "no port", wanted: 3, replicas: 0, services: 3, ports: []int32{0, 0, 0}},
		{name: "some ports", wanted: 3, known: []int32{0, 1}, replicas: 2, services: 3, ports: []int32{30000, 30001, 0}},
		{name: "a gap", wanted: 3, known: []int32{0, 2}, replicas: 1, services: 3, ports: []int32{30000, 0, 30002}},
		{name: "all ports", wanted: 3, known: []int32{0, 1, 2}, replicas: 3, services: 3, ports: []int32{30000, 30001, 30002}},
		{name: "growing", wanted: 4, pods: 2, known: []int32{0, 1}, replicas: 2, services: 4, ports: []int32{30000, 30001, 0, 0}},
		{name: "shrinking", wanted: 1, pods: 3, known: []int32{0, 1, 2}, replicas: 1, services: 3, ports: []int32{30000, 30001, 30002}},
		{name: "shrunk", wanted: 1, pods: 1, known: []int32{0, 1, 2}, replicas: 1, services: 1, ports: []int32{30000}},
		{name: "Services lost under running seeders", wanted: 3, pods: 3, known: []int32{1, 2}, replicas: 3, services: 3, ports: []int32{0, 30001, 30002}},
		{name: "to none, draining", wanted: 0, pods: 2, known: []int32{0, 1}, replicas: 0, services: 2, ports: []int32{30000, 30001}},
		{name: "none", wanted: 0, known: []int32{0, 1}, replicas: -1},
		{name: "asleep", byAudience: true, known: []int32{0, 1}, replicas: 0, services: 1, ports: []int32{30000}},
		{name: "asleep from the beginning", byAudience: true, replicas: 0, services: 1, ports: []int32{0}},
		{name: "falling asleep", byAudience: true, pods: 2, known: []int32{0, 1}, replicas: 0, services: 2, ports: []int32{30000, 30001}},
		{name: "woken", byAudience: true, wanted: 2, known: []int32{0}, replicas: 1, services: 2, ports: []int32{30000, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream, facts := read(t, "nodeport-after")
			stream.Spec.Seeders.Replicas = &tt.wanted
			if tt.byAudience {
				stream.Spec.Seeders.Replicas, stream.Spec.Seeders.Scale, facts.Seeders = nil, &v1.SeederScale{}, &tt.wanted
			}
			facts.SeederPods, facts.Observed = tt.pods, exposure.Observed{}
			for _, ordinal := range tt.known {
				facts.Observed[SeederServiceName(stream.Name, ordinal)] = exposure.Observation{NodePort: 30000 + ordinal}
			}
			p, err := Make(stream, facts)
			if err != nil {
				t.Fatal(err)
			}
			replicas, services := int32(-1), int32(0)
			for _, o := range p.Objects {
				switch child := object(t, o).(type) {
				case *appsv1.StatefulSet:
					replicas = *child.Spec.Replicas
				case *corev1.Service:
					if _, own := child.Spec.Selector[appsv1.StatefulSetPodNameLabel]; own {
						services++
					}
				}
			}
			if replicas != tt.replicas || services != tt.services {
				t.Errorf("replicas %d and Services %d, want %d and %d", replicas, services, tt.replicas, tt.services)
			}
			if replicas < 0 {
				return
			}
			var ports []int32
			if err := json.Unmarshal([]byte(configMapOf(t, p, "town-hall-seeder").Data[fileICEPorts]), &ports); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.ports, ports); diff != "" {
				t.Errorf("ports\n%s", diff)
			}
		})
	}
}

// TestWhatRestartsSeeders: more replicas, ports, STUN and nodes must not; changes of the stream itself must.
func TestWhatRestartsSeeders(t *testing.T) {
	t.Parallel()
	template := func(change func(*v1.P2PStreamSpec, *Facts)) string {
		stream, facts := read(t, "nodeport-after")
		change(&stream.Spec, &facts)
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Objects {
			if s, ok := object(t, o).(*appsv1.StatefulSet); ok {
				raw, err := json.Marshal(s.Spec.Template)
				if err != nil {
					t.Fatal(err)
				}
				return string(raw)
			}
		}
		t.Fatal("no StatefulSet")
		return ""
	}
	same := template(func(*v1.P2PStreamSpec, *Facts) {})
	for name, tt := range map[string]struct {
		restarts bool
		change   func(*v1.P2PStreamSpec, *Facts)
	}{
		"by audience": {false, func(s *v1.P2PStreamSpec, f *Facts) {
			s.Seeders.Replicas, s.Seeders.Scale, f.Seeders = nil, &v1.SeederScale{}, new(int32(1))
		}},
		"replicas":     {false, func(s *v1.P2PStreamSpec, _ *Facts) { s.Seeders.Replicas = new(int32(5)) }},
		"ports":        {false, func(_ *v1.P2PStreamSpec, f *Facts) { f.Observed = nil }},
		"nodes":        {false, func(_ *v1.P2PStreamSpec, f *Facts) { f.Nodes = nil }},
		"tracker":      {false, func(s *v1.P2PStreamSpec, _ *Facts) { s.Tracker = nil }},
		"stun":         {false, func(s *v1.P2PStreamSpec, _ *Facts) { s.STUN = &v1.STUNSpec{Enabled: new(false)} }},
		"viewers":      {false, func(s *v1.P2PStreamSpec, _ *Facts) { s.Viewers = &v1.ViewersSpec{Upload: new(false)} }},
		"suspend":      {false, func(s *v1.P2PStreamSpec, _ *Facts) { s.Suspend = true }},
		"source":       {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Source.URL = "http://o/other.m3u8" }},
		"swarm":        {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.SwarmID = "other" }},
		"cache":        {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Seeders.CacheSize = new(resource.MustParse("1Gi")) }},
		"image":        {true, func(_ *v1.P2PStreamSpec, f *Facts) { f.Image = "other" }},
		"a CA":         {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Source.CASecretRef = &v1.SecretReference{Name: "ca"} }},
		"its exposure": {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Seeders.Exposure = nil }},
	} {
		if restarts := template(tt.change) != same; restarts != tt.restarts {
			t.Errorf("%s: restarts seeders: %v, want %v", name, restarts, tt.restarts)
		}
	}
}

// TestWhatRestartsTrackers: files that the tracker reloads while it runs must not.
func TestWhatRestartsTrackers(t *testing.T) {
	t.Parallel()
	hashOf := func(change func(*v1.P2PStreamSpec, *Facts)) string {
		stream, facts := read(t, "nodeport-after")
		change(&stream.Spec, &facts)
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Objects {
			if d, ok := object(t, o).(*appsv1.Deployment); ok && d.Name == TrackerName(stream.Name) {
				return d.Spec.Template.Annotations[AnnotationConfigHash]
			}
		}
		t.Fatal("no tracker")
		return ""
	}
	same := hashOf(func(*v1.P2PStreamSpec, *Facts) {})
	for name, tt := range map[string]struct {
		restarts bool
		change   func(*v1.P2PStreamSpec, *Facts)
	}{
		"STUN comes and goes": {false, func(_ *v1.P2PStreamSpec, f *Facts) { f.STUNReady, f.Nodes = false, nil }},
		"its node port": {false, func(_ *v1.P2PStreamSpec, f *Facts) {
			f.Observed = assigned(map[string]int32{"town-hall-tracker": 32000})
		}},
		"seeders": {false, func(s *v1.P2PStreamSpec, _ *Facts) { s.Seeders = nil }},
		"viewers": {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Viewers = &v1.ViewersSpec{P2P: new(false)} }},
		"ranges":  {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Tracker.CandidateRanges = []v1.AddressRange{"10.0.0.0/8"} }},
		"origins": {true, func(s *v1.P2PStreamSpec, _ *Facts) { s.Tracker.AllowedOrigins = []v1.WebOrigin{"https://a"} }},
	} {
		if restarts := hashOf(tt.change) != same; restarts != tt.restarts {
			t.Errorf("%s: restarts the tracker: %v, want %v", name, restarts, tt.restarts)
		}
	}
}

func TestSeederMemory(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		seeders v1.SeedersSpec
		memory  string // of requests and limits; empty: none
		goLimit bool
	}{
		{"defaults", v1.SeedersSpec{}, "872Mi", true},
		{"large", v1.SeedersSpec{CacheSize: new(resource.MustParse("4Gi")), MaxPeers: new(int32(1000))}, "5704Mi", true},
		{"odd", v1.SeedersSpec{CacheSize: new(resource.MustParse("16777217")), MaxPeers: new(int32(1))}, "116Mi", true},
		{"given", v1.SeedersSpec{Resources: &v1.Resources{Limits: v1.ResourceList{"memory": resource.MustParse("1Gi")}}}, "1Gi", true},
		{"given without memory", v1.SeedersSpec{Resources: &v1.Resources{Requests: v1.ResourceList{"cpu": resource.MustParse("1")}}}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			stream, facts := read(t, "minimal")
			stream.Spec.Seeders = &tt.seeders
			p, err := Make(stream, facts)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range p.Objects {
				s, ok := object(t, o).(*appsv1.StatefulSet)
				if !ok {
					continue
				}
				c := s.Spec.Template.Spec.Containers[0]
				limit, limited := c.Resources.Limits[corev1.ResourceMemory]
				if limited != (tt.memory != "") || (limited && limit.Cmp(resource.MustParse(tt.memory)) != 0) {
					t.Errorf("limit %s, want %s", limit.String(), tt.memory)
				}
				want := ""
				if tt.goLimit {
					want = strconv.FormatInt(limit.Value()-limit.Value()/10, 10)
				}
				got := ""
				for _, e := range c.Env {
					if e.Name == "GOMEMLIMIT" {
						got = e.Value
					}
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("GOMEMLIMIT\n%s", diff)
				}
			}
		})
	}
}
