package plan

import (
	"encoding/json"
	"fmt"
	"strings"
)

const (
	proxyHealthPort  = 10256
	proxyMetricsPort = 10249

	// PauseImage holds the namespaces of every pod.
	PauseImage = "localhost/p2pstream-pause:1"
)

type object = map[string]any

// KubeletConfig is a node's KubeletConfiguration. It reacts quickly, and neither evicts pods nor
// collects images: the cluster does not manage the machine's disk, and no registry could replace an image.
func (c Cluster) KubeletConfig(p Paths, n Node) string {
	return render(object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",
		"address":    n.IP,
		"authentication": object{
			"anonymous": object{"enabled": true},
			"webhook":   object{"enabled": false},
		},
		"authorization":               object{"mode": "AlwaysAllow"},
		"cgroupDriver":                "cgroupfs",
		"cgroupRoot":                  "/" + c.Cgroup(n.Name),
		"clusterDNS":                  []string{DNSIP},
		"clusterDomain":               ClusterDomain,
		"containerRuntimeEndpoint":    "unix://" + p.Socket(n.Name),
		"enforceNodeAllocatable":      []string{"pods"},
		"evictionHard":                object{},
		"failCgroupV1":                false,
		"failSwapOn":                  false,
		"healthzBindAddress":          "127.0.0.1",
		"imageGCHighThresholdPercent": 100,
		"makeIPTablesUtilChains":      false,
		"nodeStatusUpdateFrequency":   "5s",
		"podLogsDir":                  p.File(n.Name, "pod-logs"),
		"resolvConf":                  p.File(n.Name, "resolv.conf"),
		"syncFrequency":               "10s",
		"volumePluginDir":             p.File(n.Name, "volume-plugins"),
	})
}

// ProxyConfig is a node's KubeProxyConfiguration. Limits on connection tracking are left alone: they
// belong to the whole machine and cannot be written from a network namespace.
func (c Cluster) ProxyConfig(p Paths, n Node) string {
	return render(object{
		"apiVersion":         "kubeproxy.config.k8s.io/v1alpha1",
		"kind":               "KubeProxyConfiguration",
		"bindAddress":        "0.0.0.0",
		"clientConnection":   object{"kubeconfig": p.File(n.Name, "kube-proxy.kubeconfig")},
		"clusterCIDR":        PodCIDR,
		"conntrack":          object{"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
		"detectLocalMode":    "ClusterCIDR",
		"healthzBindAddress": fmt.Sprintf("%s:%d", n.IP, proxyHealthPort),
		"hostnameOverride":   n.Name,
		"metricsBindAddress": fmt.Sprintf("%s:%d", n.IP, proxyMetricsPort),
		"mode":               "nftables",
		"nftables":           object{"minSyncPeriod": "100ms", "syncPeriod": "30s"},
	})
}

// ContainerdConfig is a node's containerd configuration. Mounts of pods' network namespaces stay
// below the node's own state folder, so that none is left behind among the machine's.
func ContainerdConfig(p Paths, n Node, snapshotter string) string {
	return fmt.Sprintf(`version = 2
root = %[1]q
state = %[2]q
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]

[grpc]
  address = %[3]q

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = %[4]q
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true # lowering a score needs CAP_SYS_RESOURCE, which containers as machines lack
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = %[5]q
    conf_dir = %[6]q
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = %[7]q
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = %[8]q
        SystemdCgroup = false
`, p.File(n.Name, "containerd"), p.File(n.Name, "run"), p.Socket(n.Name), PauseImage,
		p.CNI, p.File(n.Name, "cni"), snapshotter, p.File(n.Name, "runc"))
}

// CNIConfig is a node's pod network: a wire from each pod into the node, which routes. Without a bridge
// there is no shortcut between pods of one node that would bypass the node's packet filter.
func CNIConfig(n Node) string {
	return render(object{
		"cniVersion": "0.4.0",
		"name":       "pods",
		"plugins": []object{
			{
				"type":   "ptp",
				"ipMasq": false,
				"ipam": object{
					"type":   "host-local",
					"ranges": [][]object{{{"subnet": n.PodCIDR}}},
					"routes": []object{{"dst": "0.0.0.0/0"}},
				},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	})
}

// Corefile configures cluster DNS. Names outside the cluster are refused: the cluster has no way out.
func (c Cluster) Corefile(p Paths) string {
	return fmt.Sprintf(`.:53 {
    errors
    ready %s:%d
    kubernetes %s in-addr.arpa ip6.arpa {
        kubeconfig %s
        pods insecure
        ttl 5
    }
}
`, c.ControlPlaneIP(), dnsReadyPort, ClusterDomain, p.File(ControlPlane, "coredns.kubeconfig"))
}

// Kubeconfig is a kubeconfig with one context, named p2pstream-NAME.
func (c Cluster) Kubeconfig(user, token string, ca []byte) string {
	name := "p2pstream-" + c.Name
	return render(object{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": name,
		"clusters":        []object{{"name": name, "cluster": object{"server": c.Server(), "certificate-authority-data": ca}}},
		"contexts":        []object{{"name": name, "context": object{"cluster": name, "user": user}}},
		"users":           []object{{"name": user, "user": object{"token": token}}},
	})
}

// Identity is a static token's user, and the groups that RBAC knows it by.
type Identity struct {
	User   string
	Groups []string
	// Kubeconfig is the file that presents the token.
	Kubeconfig string
}

// Identities lists who talks to the API server. Each program has the rights it has on any cluster.
func (c Cluster) Identities(p Paths) []Identity {
	all := []Identity{
		{User: "admin", Groups: []string{"system:masters"}, Kubeconfig: p.Kubeconfig()},
		{User: "system:kube-controller-manager", Kubeconfig: p.File(ControlPlane, "kube-controller-manager.kubeconfig")},
		{User: "system:kube-scheduler", Kubeconfig: p.File(ControlPlane, "kube-scheduler.kubeconfig")},
		{User: "coredns", Groups: []string{"system:masters"}, Kubeconfig: p.File(ControlPlane, "coredns.kubeconfig")},
	}
	for _, n := range c.Nodes() {
		all = append(all,
			Identity{User: "system:node:" + n.Name, Groups: []string{"system:nodes"}, Kubeconfig: p.File(n.Name, "kubelet.kubeconfig")},
			Identity{User: "system:kube-proxy", Kubeconfig: p.File(n.Name, "kube-proxy.kubeconfig")})
	}
	return all
}

// TokenLine is one line of the API server's token file.
func (i Identity) TokenLine(token string) string {
	line := fmt.Sprintf("%s,%s,%s", token, i.User, i.User)
	if len(i.Groups) > 0 {
		line += fmt.Sprintf(",%q", strings.Join(i.Groups, ","))
	}
	return line + "\n"
}

// render writes JSON, which every reader of YAML takes.
func render(v any) string {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // only maps, strings, numbers and lists are ever given
	}
	return string(out) + "\n"
}
