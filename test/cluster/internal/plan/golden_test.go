package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// updateVariable, when set, makes the golden files what the code renders now.
const updateVariable = "P2PSTREAM_UPDATE_GOLDEN"

var (
	goldenCluster = Cluster{Name: "golden", Net: 217, NodeCount: 2}
	goldenPaths   = Paths{State: "/state/golden", Kube: "/cache/kube", CoreDNS: "/cache/dns/coredns", CNI: "/usr/lib/cni"}
)

func TestGolden(t *testing.T) {
	c, p := goldenCluster, goldenPaths
	n := c.Nodes()[1]
	office := Office{Name: "new-york", Index: 2, Rate: 20e6, Latency: 50 * time.Millisecond, DropUDP: true}
	rendered := map[string]string{
		"kubelet.json":        c.KubeletConfig(p, n),
		"kube-proxy.json":     c.ProxyConfig(p, n),
		"containerd.toml":     ContainerdConfig(p, n, "overlayfs"),
		"cni.conflist":        CNIConfig(n),
		"Corefile":            c.Corefile(p),
		"kubeconfig.json":     c.Kubeconfig("admin", "secret", []byte("ca")),
		"node-init.json":      asJSON(t, c.NodeSpec(p, n)),
		"control-plane.json":  asJSON(t, c.ControlPlaneSpec(p)),
		"topology.txt":        batches(c.Topology()),
		"topology-one.txt":    batches(Cluster{Name: "one", Net: 200, NodeCount: 1}.Topology()),
		"office.txt":          batches(c.OfficeTopology(office)),
		"office-drop-udp.nft": office.Filter(),
		"office-pass-udp.nft": Office{Name: "paris"}.Filter(),
		"masquerade-on.nft":   c.MasqueradeFilter(n, true),
		"masquerade-off.nft":  c.MasqueradeFilter(n, false),
		"dns-objects.txt":     dnsObjects(c),
		"tokens.csv":          tokens(c, p),
	}
	for name, got := range rendered {
		t.Run(name, func(t *testing.T) { golden(t, name, got) })
	}
	files, err := os.ReadDir(filepath.Join("testdata", "golden"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if _, ok := rendered[file.Name()]; !ok {
			t.Errorf("testdata/golden/%s is rendered by nothing", file.Name())
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if os.Getenv(updateVariable) != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); %s=1 accepts it\n%s", file, updateVariable, diff)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

func batches(all []IPBatch) string {
	var out strings.Builder
	for _, batch := range all {
		place := batch.Netns
		if place == "" {
			place = "host"
		}
		out.WriteString("# " + place + "\n" + strings.Join(batch.Lines, "\n") + "\n")
	}
	return out.String()
}

func dnsObjects(c Cluster) string {
	var out strings.Builder
	for _, path := range []string{"/api/v1/namespaces/kube-system/services", "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices"} {
		out.WriteString("POST " + path + "\n" + c.DNSObjects()[path])
	}
	return out.String()
}

func tokens(c Cluster, p Paths) string {
	var out strings.Builder
	for _, identity := range c.Identities(p) {
		out.WriteString("# " + identity.Kubeconfig + "\n" + identity.TokenLine("token"))
	}
	return out.String()
}

// One node's pods must not be routed through another.
func TestTopologyGivesNoRouteToOneself(t *testing.T) {
	for _, batch := range goldenCluster.Topology() {
		for _, n := range goldenCluster.Nodes() {
			if batch.Netns == n.Netns && strings.Contains(strings.Join(batch.Lines, "\n"), "route add "+n.PodCIDR) {
				t.Errorf("%s has a route to its own pods", n.Name)
			}
		}
	}
}

// The host gets one interface, and routes to nothing but the cluster's own block.
func TestTopologyLeavesTheHostAlone(t *testing.T) {
	for _, batch := range goldenCluster.Topology() {
		if batch.Netns != "" {
			continue
		}
		for _, line := range batch.Lines {
			if !strings.Contains(line, goldenCluster.HostInterface()) {
				t.Errorf("%q is not about %s", line, goldenCluster.HostInterface())
			}
		}
	}
}
