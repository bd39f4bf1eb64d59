package plan

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/p2pstream/p2pstream/controllers/exposure"
)

// NetworkPolicies say that each component of a stream gets a NetworkPolicy, and what these let through.
type NetworkPolicies struct {
	// Origins are the ranges of addresses that tracker and seeders may connect to over TCP, with DNS and each other; none
	// means all.
	Origins []string `json:"origins,omitempty"`
}

// dnsPorts are where the pods of DNS servers listen: 53, and 5353 on OpenShift. A policy is checked after a Service's address
// was replaced by that of a pod.
var dnsPorts = []int32{53, 5353}

type (
	policyPort = networkingv1ac.NetworkPolicyPortApplyConfiguration
	ingress    = networkingv1ac.NetworkPolicyIngressRuleApplyConfiguration
	egress     = networkingv1ac.NetworkPolicyEgressRuleApplyConfiguration
)

// policies adds a NetworkPolicy for each component, when the installation asks for them. Viewers may be anywhere, so the ports
// that they use are open to all addresses. What a policy closes are the other ports of a pod to what is outside of the cluster,
// and what a pod may connect to.
func (p *planner) policies() error {
	if p.facts.NetworkPolicies == nil {
		return nil
	}
	if p.facts.Network == nil {
		p.trackerPolicies()
	}
	if p.network == nil {
		// A seeder listens on UDP for peers alone, and sends to their addresses, whatever these are.
		p.policy(ComponentSeeder, p.podsOf(ComponentSeeder, ComponentEdge)).
			WithIngress(open(anyPort(corev1.ProtocolUDP)), clusterOnly(tcp(PortSeederAdmin))).
			WithEgress(p.fetches()...).
			WithEgress(networkingv1ac.NetworkPolicyEgressRule().WithPorts(anyPort(corev1.ProtocolUDP)))
	}
	return nil
}

// trackerPolicies are those of what a network has, or a stream without one.
func (p *planner) trackerPolicies() {
	announcing := p.seedersOnly(tcp(PortTrackerInternal))
	if p.network != nil {
		announcing = clusterOnly(tcp(PortTrackerInternal)) // streams are in namespaces of their own
	}
	tracker := p.policy(ComponentTracker, p.podsOf(ComponentTracker))
	tracker.WithIngress(open(tcp(PortTracker)), announcing, clusterOnly(tcp(PortAdmin)))
	tracker.WithEgress(p.fetches()...)
	if ports := p.stunPorts(); len(ports) > 0 {
		// The tracker asks each STUN server at the address that viewers are given.
		tracker.WithEgress(networkingv1ac.NetworkPolicyEgressRule().WithPorts(ports...))
	}
	if *p.spec.STUN.Enabled {
		// What answers a datagram needs no rule, and a STUN server sends nothing else.
		p.policy(ComponentSTUN, p.podsOf(ComponentSTUN)).
			WithIngress(open(udp(PortSTUN)), clusterOnly(tcp(PortAdmin)))
	}
}

// policy adds a policy without rules, which lets nothing through.
func (p *planner) policy(component string, pods *metav1ac.LabelSelectorApplyConfiguration) *networkingv1ac.NetworkPolicySpecApplyConfiguration {
	spec := networkingv1ac.NetworkPolicySpec().
		WithPodSelector(pods).
		WithPolicyTypes(networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress)
	p.guards = append(p.guards, child{Object: networkingv1ac.NetworkPolicy(p.stream.Name+"-"+component, p.stream.Namespace).
		WithLabels(p.labels(component)).
		WithOwnerReferences(p.owner()).
		WithSpec(spec)})
	return spec
}

// podsOf selects the pods of components.
func (p *planner) podsOf(components ...string) *metav1ac.LabelSelectorApplyConfiguration {
	labels := p.selector(components[0])
	if len(components) == 1 {
		return labelSelector(labels)
	}
	delete(labels, LabelComponent)
	return labelSelector(labels).WithMatchExpressions(metav1ac.LabelSelectorRequirement().
		WithKey(LabelComponent).WithOperator("In").WithValues(components...))
}

// fetches is what tracker and seeders need to get the stream: DNS, and TCP to the origin and to the tracker. The port of the
// origin is not a part of the rule: manifests name other hosts, and behind a Service the port is that of the pod.
func (p *planner) fetches() []*egress {
	dns := networkingv1ac.NetworkPolicyEgressRule()
	for _, port := range dnsPorts {
		dns.WithPorts(udp(port), tcp(port))
	}
	fetch := networkingv1ac.NetworkPolicyEgressRule().WithPorts(anyPort(corev1.ProtocolTCP))
	rules := []*egress{dns, fetch}
	origins := slices.Compact(slices.Sorted(slices.Values(p.facts.NetworkPolicies.Origins)))
	if len(origins) == 0 {
		return rules
	}
	for _, cidr := range origins {
		fetch.WithTo(networkingv1ac.NetworkPolicyPeer().WithIPBlock(networkingv1ac.IPBlock().WithCIDR(cidr)))
	}
	tracker := networkingv1ac.NetworkPolicyPeer().WithPodSelector(p.podsOf(ComponentTracker))
	if n := p.facts.Network; n != nil {
		tracker = networkingv1ac.NetworkPolicyPeer().
			WithNamespaceSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{corev1.LabelMetadataName: n.Namespace})).
			WithPodSelector(labelSelector(networkSelector(n.Name, ComponentTracker)))
	}
	return append(rules, networkingv1ac.NetworkPolicyEgressRule().WithPorts(tcp(PortTrackerInternal)).WithTo(tracker))
}

// stunPorts are those of the STUN servers' pods and of the addresses that viewers are given.
func (p *planner) stunPorts() []*policyPort {
	var ports []int32
	if *p.spec.STUN.Enabled {
		ports = append(ports, PortSTUN)
		if hostPort := p.traits(exposure.STUN).HostPort; hostPort != 0 {
			ports = append(ports, hostPort)
		}
	}
	for _, server := range p.stunFile() {
		u, err := url.Parse("//" + server[len("stun:"):])
		if err != nil {
			continue
		}
		if n, err := strconv.ParseUint(cmp.Or(u.Port(), "3478"), 10, 16); err == nil && n > 0 { // the default of RFC 7064
			ports = append(ports, int32(n))
		}
	}
	slices.Sort(ports)
	var rules []*policyPort
	for _, port := range slices.Compact(ports) {
		rules = append(rules, udp(port))
	}
	return rules
}

// open lets every address reach a port.
func open(port *policyPort) *ingress {
	return networkingv1ac.NetworkPolicyIngressRule().WithPorts(port)
}

// clusterOnly lets all pods of the cluster reach a port: the operator and Prometheus, whose namespaces are not known.
func clusterOnly(port *policyPort) *ingress {
	return open(port).WithFrom(networkingv1ac.NetworkPolicyPeer().WithNamespaceSelector(metav1ac.LabelSelector()))
}

// seedersOnly lets the seeders of the stream reach a port.
func (p *planner) seedersOnly(port *policyPort) *ingress {
	return open(port).WithFrom(networkingv1ac.NetworkPolicyPeer().WithPodSelector(p.podsOf(ComponentSeeder, ComponentEdge)))
}

func anyPort(protocol corev1.Protocol) *policyPort {
	return networkingv1ac.NetworkPolicyPort().WithProtocol(protocol)
}

func tcp(port int32) *policyPort { return anyPort(corev1.ProtocolTCP).WithPort(intstr.FromInt32(port)) }
func udp(port int32) *policyPort { return anyPort(corev1.ProtocolUDP).WithPort(intstr.FromInt32(port)) }
