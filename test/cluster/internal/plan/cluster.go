package plan

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
)

const (
	// DefaultName is the name of the cluster when --name is not given.
	DefaultName = "p2p"
	// MaxNodes is how many worker nodes the address plan has room for.
	MaxNodes = 32
	// MaxOffices is how many offices the address plan has room for.
	MaxOffices = 64

	// PodCIDR holds the pods of every node; it exists only inside the cluster's own namespaces.
	PodCIDR = "10.244.0.0/16"
	// ServiceCIDR holds the cluster IPs of Services.
	ServiceCIDR = "10.96.0.0/16"
	// KubernetesIP is the cluster IP of the API server.
	KubernetesIP = "10.96.0.1"
	// DNSIP is the cluster IP of cluster DNS.
	DNSIP = "10.96.0.10"
	// ClusterDomain ends the names of Services.
	ClusterDomain = "cluster.local"

	// ControlPlane is the name of the namespace that runs etcd, the API server and cluster DNS.
	ControlPlane = "n0"
	// WAN is the name of the namespace that forwards between nodes, offices and the host.
	WAN = "wan"

	apiServerPort = 6443
	dnsReadyPort  = 8181
)

var (
	clusterName = regexp.MustCompile(`^[a-z][a-z0-9]{0,9}$`)
	officeName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,11}[a-z0-9]$|^[a-z]$`)
	placeName   = regexp.MustCompile(`^n[0-9]+$`)
)

// Cluster determines all names and addresses of a cluster.
type Cluster struct {
	// Name tells clusters on one machine apart.
	Name string `json:"name"`
	// Net is the second octet of the cluster's own 10.Net.0.0/16 on the host.
	Net int `json:"net"`
	// NodeCount is the number of worker nodes.
	NodeCount int `json:"nodes"`
}

// Node is one worker node.
type Node struct {
	// Name is also the Kubernetes node name: n1, n2, …
	Name string `json:"name"`
	// IP is the node's address on the WAN, where its NodePorts answer.
	IP string `json:"ip"`
	// Zone is the value of the label topology.kubernetes.io/zone: site1, site2, …
	Zone string `json:"zone"`
	// PodCIDR holds the node's pods.
	PodCIDR string `json:"podCIDR"`
	// Netns is the name of the node's network namespace.
	Netns string `json:"netns"`
}

// CheckName returns an error if a cluster cannot have this name. A name is part of interface names, which the
// kernel limits to 15 characters, and dashes would let one cluster's names begin with another's.
func CheckName(name string) error {
	if !clusterName.MatchString(name) {
		return fmt.Errorf("--name %q: use 1 to 10 lower-case letters and digits, a letter first", name)
	}
	return nil
}

// CheckOfficeName returns an error if an office cannot have this name.
func CheckOfficeName(name string) error {
	if !officeName.MatchString(name) {
		return fmt.Errorf("office %q: use 1 to 13 lower-case letters, digits and dashes, a letter first", name)
	}
	if name == WAN || placeName.MatchString(name) {
		return fmt.Errorf("office %q: that is the name of a node or of the WAN; choose another", name)
	}
	return nil
}

// CheckNodes returns an error if a cluster cannot have this many worker nodes.
func CheckNodes(count int) error {
	if count < 1 || count > MaxNodes {
		return fmt.Errorf("--nodes %d: use 1 to %d", count, MaxNodes)
	}
	return nil
}

// Nodes lists the worker nodes in order.
func (c Cluster) Nodes() []Node {
	nodes := make([]Node, 0, c.NodeCount)
	for i := 1; i <= c.NodeCount; i++ {
		name := fmt.Sprintf("n%d", i)
		nodes = append(nodes, Node{
			Name:    name,
			IP:      fmt.Sprintf("10.%d.%d.2", c.Net, i),
			Zone:    fmt.Sprintf("site%d", i),
			PodCIDR: fmt.Sprintf("10.244.%d.0/24", i),
			Netns:   c.Netns(name),
		})
	}
	return nodes
}

// Netns is the name of a network namespace of this cluster, as `ip netns` lists it.
func (c Cluster) Netns(place string) string { return c.NetnsPrefix() + place }

// NetnsPrefix begins the name of every network namespace of this cluster and of no other.
func (c Cluster) NetnsPrefix() string { return "p2pstream-" + c.Name + "-" }

// OfficeNetns is the name of an office's network namespace.
func (c Cluster) OfficeNetns(office string) string { return c.Netns("office-" + office) }

// Cgroup is the name of a node's cgroup, below the root of every hierarchy.
func (c Cluster) Cgroup(node string) string { return c.NetnsPrefix() + node }

// HostInterface is the host's end of the veth into the WAN.
func (c Cluster) HostInterface() string { return c.Name + "-wan" }

// HostIP is the host's address on the WAN.
func (c Cluster) HostIP() string { return fmt.Sprintf("10.%d.0.254", c.Net) }

// WANIP is the router's address on the WAN: the default gateway of nodes and the way to offices.
func (c Cluster) WANIP() string { return fmt.Sprintf("10.%d.0.1", c.Net) }

// ControlPlaneIP is where the API server and cluster DNS listen.
func (c Cluster) ControlPlaneIP() string { return fmt.Sprintf("10.%d.0.2", c.Net) }

// Server is the API server's URL, the same from the host, the nodes and the offices.
func (c Cluster) Server() string {
	return "https://" + endpoint(c.ControlPlaneIP(), apiServerPort)
}

// DNSReadyURL answers 200 when cluster DNS knows the cluster.
func (c Cluster) DNSReadyURL() string {
	return "http://" + endpoint(c.ControlPlaneIP(), dnsReadyPort) + "/ready"
}

// ProxyHealthURL answers 200 when a node's kube-proxy has written its rules.
func ProxyHealthURL(n Node) string { return "http://" + endpoint(n.IP, proxyHealthPort) + "/healthz" }

func endpoint(ip string, port int) string { return net.JoinHostPort(ip, strconv.Itoa(port)) }

// Whole is the block of addresses that the cluster occupies on the host: nodes in the lower half,
// offices in the upper one.
func (c Cluster) Whole() netip.Prefix { return wholeBlock(c.Net) }

func wholeBlock(octet int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(octet), 0, 0}), 16)
}

// NodesCIDR is the lower half: one link that nodes, control plane, router and host share.
func (c Cluster) NodesCIDR() string { return fmt.Sprintf("10.%d.0.0/17", c.Net) }

// OfficesCIDR is the upper half: a /24 for each office, reached through the router.
func (c Cluster) OfficesCIDR() string { return fmt.Sprintf("10.%d.128.0/17", c.Net) }

// OfficeCIDR is the subnet of the office with this index, from 1.
func (c Cluster) OfficeCIDR(index int) string { return fmt.Sprintf("10.%d.%d.0/24", c.Net, 128+index) }

// OfficeIP is the address that the programs of an office have.
func (c Cluster) OfficeIP(index int) string { return fmt.Sprintf("10.%d.%d.2", c.Net, 128+index) }

// OfficeGateway is the router's address in an office.
func (c Cluster) OfficeGateway(index int) string { return fmt.Sprintf("10.%d.%d.1", c.Net, 128+index) }
