package plan

import (
	"maps"
	"net/netip"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	v1 "github.com/p2pstream/p2pstream/api/v1"
)

// end of a flow: a pod with labels, or an address outside of the cluster.
type end struct {
	labels    map[string]string
	elsewhere bool // in another namespace than the stream's
	address   string
}

// network holds policies against flows as the API describes them.
type network []*networkingv1.NetworkPolicy

func policiesOf(t *testing.T, p Plan) network {
	t.Helper()
	var found network
	for _, o := range p.Objects {
		if policy, is := object(t, o).(*networkingv1.NetworkPolicy); is {
			found = append(found, policy)
		}
	}
	return found
}

// lets tells whether a flow leaves the one pod and reaches the other.
func (n network) lets(t *testing.T, from, to end, protocol corev1.Protocol, port int32) bool {
	t.Helper()
	return n.passes(t, from, to, networkingv1.PolicyTypeEgress, protocol, port) && n.passes(t, to, from, networkingv1.PolicyTypeIngress, protocol, port)
}

func (n network) passes(t *testing.T, pod, other end, direction networkingv1.PolicyType, protocol corev1.Protocol, port int32) bool {
	t.Helper()
	isolated := false
	for _, policy := range n {
		if pod.labels == nil || pod.elsewhere || !selects(t, &policy.Spec.PodSelector, pod.labels) {
			continue
		}
		isolated = true
		if direction == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				if hasPeer(t, rule.From, other) && hasPort(rule.Ports, protocol, port) {
					return true
				}
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			if hasPeer(t, rule.To, other) && hasPort(rule.Ports, protocol, port) {
				return true
			}
		}
	}
	return !isolated
}

func hasPort(ports []networkingv1.NetworkPolicyPort, protocol corev1.Protocol, port int32) bool {
	for _, p := range ports {
		if *p.Protocol == protocol && (p.Port == nil || p.Port.IntVal == port) {
			return true
		}
	}
	return len(ports) == 0
}

func hasPeer(t *testing.T, peers []networkingv1.NetworkPolicyPeer, other end) bool {
	t.Helper()
	for _, peer := range peers {
		switch {
		case peer.IPBlock != nil:
			if other.address != "" && netip.MustParsePrefix(peer.IPBlock.CIDR).Contains(netip.MustParseAddr(other.address)) {
				return true
			}
		case other.labels == nil, peer.NamespaceSelector == nil && other.elsewhere:
		case peer.PodSelector == nil || selects(t, peer.PodSelector, other.labels):
			return true
		}
	}
	return len(peers) == 0
}

func selects(t *testing.T, selector *metav1.LabelSelector, set map[string]string) bool {
	t.Helper()
	s, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s.Matches(labels.Set(set))
}

// TestPoliciesLetTheStreamThrough lists what a stream needs, and what an attacker would like.
func TestPoliciesLetTheStreamThrough(t *testing.T) {
	t.Parallel()
	stream, facts := read(t, "network-policies")
	site := v1.SiteSpec{Name: "Berlin", CIDRs: []v1.SiteRange{"10.1.0.0/16"}, Seeders: &v1.SiteSeedersSpec{NodeSelector: map[string]string{"zone": "berlin"}}}
	stream.Spec.Sites = &v1.SitesSpec{List: []v1.SiteSpec{site}}
	of := func(component string) end { return end{labels: Labels(stream.Name, component)} }
	edge := of(ComponentEdge)
	edge.labels[LabelEdge] = Edges(stream)[0].Code
	tracker, stun, seeder := of(ComponentTracker), of(ComponentSTUN), of(ComponentSeeder)
	operator := end{labels: map[string]string{"app": "manager"}, elsewhere: true}
	neighbour := end{labels: map[string]string{"app": "other"}}
	foreign := end{labels: Labels("other-stream", ComponentSeeder)}
	viewer, origin, elsewhere := end{address: "198.51.100.7"}, end{address: "203.0.113.10"}, end{address: "169.254.169.254"}

	for name, tt := range map[string]struct {
		from, to end
		protocol corev1.Protocol
		port     int32
		// with all origins, and with a list of them
		all, listed bool
	}{
		"viewer to tracker":                {viewer, tracker, "TCP", PortTracker, true, true},
		"viewer in a pod to tracker":       {operator, tracker, "TCP", PortTracker, true, true},
		"viewer to STUN":                   {viewer, stun, "UDP", PortSTUN, true, true},
		"viewer to seeder":                 {viewer, seeder, "UDP", 31000, true, true},
		"viewer to seeder of a site":       {viewer, edge, "UDP", 31000, true, true},
		"seeder to viewer":                 {seeder, viewer, "UDP", 54321, true, true},
		"seeder of a site to seeder":       {edge, seeder, "UDP", 31000, true, true},
		"seeder to tracker":                {seeder, tracker, "TCP", PortTrackerInternal, true, true},
		"seeder of a site to tracker":      {edge, tracker, "TCP", PortTrackerInternal, true, true},
		"tracker to STUN":                  {tracker, stun, "UDP", PortSTUN, true, true},
		"tracker to STUN at its node port": {tracker, end{address: "192.0.2.1"}, "UDP", 30478, true, true},
		"tracker to origin":                {tracker, origin, "TCP", 443, true, true},
		"seeder to origin":                 {seeder, origin, "TCP", 8443, true, true},
		"seeder to DNS":                    {seeder, operator, "UDP", 53, true, true},
		"tracker to DNS of OpenShift":      {tracker, operator, "UDP", 5353, true, true},
		"tracker to DNS, a long answer":    {tracker, operator, "TCP", 53, true, true},
		"operator to tracker":              {operator, tracker, "TCP", PortAdmin, true, true},
		"Prometheus to seeder":             {operator, seeder, "TCP", PortSeederAdmin, true, true},
		"Prometheus to STUN":               {operator, stun, "TCP", PortAdmin, true, true},

		"origin in a pod":                    {seeder, neighbour, "TCP", 8080, true, false},
		"a cloud's metadata":                 {tracker, elsewhere, "TCP", 80, true, false},
		"outside to admin of tracker":        {viewer, tracker, "TCP", PortAdmin, false, false},
		"outside to admin of seeder":         {viewer, seeder, "TCP", PortSeederAdmin, false, false},
		"outside to tracker without TLS":     {viewer, tracker, "TCP", PortTrackerInternal, false, false},
		"neighbour to tracker without TLS":   {neighbour, tracker, "TCP", PortTrackerInternal, false, false},
		"seeder of another stream":           {foreign, tracker, "TCP", PortTrackerInternal, false, false},
		"STUN server to anywhere":            {stun, elsewhere, "TCP", 443, false, false},
		"STUN server to anywhere, by UDP":    {stun, viewer, "UDP", 53, false, false},
		"tracker to any UDP port":            {tracker, viewer, "UDP", 123, false, false},
		"anything else of a seeder by TCP":   {neighbour, seeder, "TCP", 22, false, false},
		"pods of others are not affected":    {neighbour, neighbour, "TCP", 1, true, true},
		"streams do not affect each other":   {foreign, neighbour, "TCP", 1, true, true},
		"STUN by TCP":                        {viewer, stun, "TCP", PortSTUN, false, false},
		"tracker by UDP":                     {viewer, tracker, "UDP", PortTracker, false, false},
		"neighbour to admin of STUN":         {neighbour, stun, "TCP", PortAdmin, true, true},
		"neighbour to another port of admin": {neighbour, stun, "TCP", PortSeederAdmin, false, false},
	} {
		for listed, want := range map[bool]bool{false: tt.all, true: tt.listed} {
			facts := facts
			if !listed {
				facts.NetworkPolicies = &NetworkPolicies{}
			}
			p, err := Make(stream, facts)
			if err != nil {
				t.Fatal(err)
			}
			if got := policiesOf(t, p).lets(t, tt.from, tt.to, tt.protocol, tt.port); got != want {
				t.Errorf("%s (origins are listed: %t): %t, want %t", name, listed, got, want)
			}
		}
	}
}

// TestPoliciesSelectEveryPod: a component without a policy is open, and looks as if it had one.
func TestPoliciesSelectEveryPod(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t) {
		stream, facts := read(t, name)
		without, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		if found := policiesOf(t, without); facts.NetworkPolicies == nil && len(found) > 0 {
			t.Errorf("%s: %d policies that the installation did not ask for", name, len(found))
		}
		facts.NetworkPolicies = &NetworkPolicies{}
		p, err := Make(stream, facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range p.Objects {
			template := podTemplateOf(object(t, o))
			if template == nil {
				continue
			}
			selecting := 0
			for _, policy := range policiesOf(t, p) {
				if selects(t, &policy.Spec.PodSelector, maps.Clone(template.Labels)) {
					selecting++
				}
			}
			if selecting != 1 {
				t.Errorf("%s: %d policies for the pods of %s, want one", name, selecting, o.Name)
			}
		}
	}
}

// TestPoliciesOfANetwork: seeders reach the tracker of their network, which is in another namespace, and no other one.
func TestPoliciesOfANetwork(t *testing.T) {
	t.Parallel()
	n, s, facts := readNetwork(t, "network-corp")
	facts.NetworkPolicies = &NetworkPolicies{Origins: []string{"203.0.113.0/24"}}
	shared, err := MakeNetwork(n, NetworkFacts{TableSecret: "table"}, facts)
	if err != nil {
		t.Fatal(err)
	}
	attached, _, err := Attach(s, n)
	if err != nil {
		t.Fatal(err)
	}
	facts.Network = &Attachment{Namespace: n.Namespace, Name: n.Name, URL: shared.Endpoints.Config, TokenSecret: "token", Served: true}
	own, err := Make(attached, facts)
	if err != nil {
		t.Fatal(err)
	}
	ofNetwork, ofStream := policiesOf(t, shared), policiesOf(t, own)
	if len(ofNetwork) != 2 || len(ofStream) != 1 {
		t.Fatalf("%d policies of the network and %d of the stream, want 2 and 1", len(ofNetwork), len(ofStream))
	}
	away := func(e end) end { e.elsewhere = true; return e }
	seeder, tracker := end{labels: Labels(s.Name, ComponentSeeder)}, end{labels: NetworkLabels(n.Name, ComponentTracker)}
	stun, viewer := end{labels: NetworkLabels(n.Name, ComponentSTUN)}, end{address: "198.51.100.7"}
	for name, tt := range map[string]struct {
		of         network
		pod, other end
		direction  networkingv1.PolicyType
		protocol   corev1.Protocol
		port       int32
		want       bool
	}{
		"seeder to the network's tracker": {ofStream, seeder, away(tracker), networkingv1.PolicyTypeEgress, "TCP", PortTrackerInternal, true},
		"seeder to another tracker":       {ofStream, seeder, away(end{labels: NetworkLabels("other", ComponentTracker)}), networkingv1.PolicyTypeEgress, "TCP", PortTrackerInternal, false},
		"tracker from a seeder":           {ofNetwork, tracker, away(seeder), networkingv1.PolicyTypeIngress, "TCP", PortTrackerInternal, true},
		"tracker from outside":            {ofNetwork, tracker, viewer, networkingv1.PolicyTypeIngress, "TCP", PortTrackerInternal, false},
		"tracker from a viewer":           {ofNetwork, tracker, viewer, networkingv1.PolicyTypeIngress, "TCP", PortTracker, true},
		"STUN from a viewer":              {ofNetwork, stun, viewer, networkingv1.PolicyTypeIngress, "UDP", PortSTUN, true},
	} {
		if got := tt.of.passes(t, tt.pod, tt.other, tt.direction, tt.protocol, tt.port); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}
